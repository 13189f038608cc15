// deno run --allow-read --allow-net=127.0.0.1 examples/cpu_bound_handler.ts
// A server that computes in workers: a long answer does not hold up the short ones. This file is
// also what the workers load.
import { currentLoop, Loop, moveOnAfter, Nursery, until } from "jsr:@broomio/core";
import { PoolFullError, ThreadPool } from "jsr:@broomio/core/pool";

/** Runs in a worker: the primes below a limit, counted the slow way. */
export function countPrimes(limit: number): number {
  let count = 0;
  for (let n = 2; n < limit; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) count++;
  }
  return count;
}

function* main() {
  const loop = yield* currentLoop();
  const pool = yield* ThreadPool.open<typeof import("./cpu_bound_handler.ts")>({
    module: import.meta.url,
    maxWaiting: 100, // with more it says no, at once
    cancelGrace: 0, // a computation that nobody wants any more is ended
  });

  function* answer(url: URL) {
    if (url.pathname === "/ping") return new Response("pong");
    try {
      const limit = Number(url.searchParams.get("limit"));
      const count = yield* moveOnAfter(5, pool.execute("countPrimes", limit));
      return count === undefined
        ? new Response("too slow", { status: 504 })
        : new Response(`${count}`);
    } catch (error) {
      if (error instanceof PoolFullError) return new Response("busy", { status: 503 });
      throw error;
    }
  }

  const handler = (request: Request) => loop.startSoon(answer(new URL(request.url))).promise();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const get = (path: string) =>
    until(fetch(`http://127.0.0.1:${server.addr.port}${path}`).then((reply) => reply.text()));

  yield* Nursery.open(function* (nursery) {
    const primes = nursery.startSoon(get("/primes?limit=1000000"));
    let pings = 0;
    while (primes.state !== "succeeded") pings += (yield* get("/ping")) === "pong" ? 1 : 0;
    console.log(
      `${yield* primes.join()} primes, and ${pings > 5 ? "many" : pings} pings meanwhile`,
    );
  });
  yield* until(server.shutdown());
}

if (import.meta.main) await new Loop().run(main());

/* Output:
78498 primes, and many pings meanwhile
*/
