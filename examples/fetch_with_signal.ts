// deno run --allow-net=127.0.0.1 examples/fetch_with_signal.ts
import { abortSignal, ensure, Loop, moveOnAfter, until } from "jsr:@broomio/core";

/** A promise-based server to talk to; it tells when a client has gone away. */
function serve(gone: () => void): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (!request.url.endsWith("/slow")) return new Response("hello");
    await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    gone();
    return new Response();
  });
}

function* main() {
  const left = Promise.withResolvers<void>();
  const server = serve(left.resolve);
  yield* ensure(() => until(server.shutdown())); // waits, shielded, when this task ends
  const url = `http://127.0.0.1:${server.addr.port}`;

  // For one call: until gives the function a signal of its own, which aborts if the wait is
  // cancelled.
  const response = yield* until((signal) => fetch(url, { signal }));
  console.log(yield* until(response.text()));

  // For several calls: the signal of the surrounding scope.
  const text = yield* moveOnAfter({ milliseconds: 50 }, function* () {
    const signal = yield* abortSignal();
    const response = yield* until(fetch(`${url}/slow`, { signal }));
    return yield* until(response.text());
  });
  console.log(text ?? "too slow: the request was aborted");
  yield* until(left.promise);
  console.log("and the server knows it");
}

await new Loop().run(main());

/* Output:
hello
too slow: the request was aborted
and the server knows it
*/
