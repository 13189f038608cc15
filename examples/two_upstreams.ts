// deno run --allow-net --unstable-no-legacy-abort examples/two_upstreams.ts
// A Deno.serve handler that asks two upstreams at once, with one deadline for both.
import { all, Portal, sleep, until } from "jsr:@broomio/core";
import { toHandler } from "jsr:@broomio/core/http";

await using portal = new Portal();

/** An upstream: "/slow" takes its time. */
const upstream = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen() {} },
  toHandler(portal, function* (request) {
    try {
      yield* sleep(request.url.endsWith("/slow") ? 60 : 0.01);
      return Response.json({ from: new URL(request.url).pathname });
    } finally {
      if (request.url.endsWith("/slow")) console.log("upstream: the slow request has ended");
    }
  }),
);

function* ask(path: string) {
  const url = `http://127.0.0.1:${upstream.addr.port}${path}`;
  // The signal aborts when this is cancelled, so the upstream hears of it too.
  return yield* until((signal) => fetch(url, { signal }).then((response) => response.json()));
}

const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen() {} },
  toHandler(portal, function* (request) {
    const second = new URL(request.url).searchParams.get("second") ?? "b";
    const [a, b] = yield* all([ask("/a"), ask(`/${second}`)]);
    return Response.json([a.from, b.from]);
  }, { timeout: 0.3 }), // seconds; then 504, and whatever runs is cancelled
);

for (const query of ["", "?second=slow"]) {
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/${query}`);
  console.log(response.status, await response.text());
}
await portal.close({ grace: 5 });
await Promise.all([server.shutdown(), upstream.shutdown()]);

/* Output:
200 ["/a","/b"]
...
504 Gateway Timeout
...
*/
