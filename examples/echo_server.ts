// deno run --allow-net examples/echo_server.ts
// With a port as its argument it echoes until Ctrl-C: nc 127.0.0.1 7777
import { all, type Coroutine, Loop, Nursery } from "jsr:@broomio/core";
import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";

function* echo(stream: TcpClientSocket): Coroutine {
  for (let bytes; (bytes = yield* stream.recvView()) !== null;) yield* stream.send(bytes);
}

/** Says something, and gives what comes back. */
function* say(text: string, port: number): Coroutine<string> {
  using stream = yield* TcpClientSocket.connect({ port, timeout: 5 });
  yield* stream.send(new TextEncoder().encode(text));
  yield* stream.shutdown(); // nothing follows, so the server ends too
  let answer = "";
  const decoder = new TextDecoder();
  for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
    answer += decoder.decode(bytes, { stream: true });
  }
  return answer;
}

function* main(port: number): Coroutine {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(echo, { maxConnections: 1000 }));
    if (port !== 0) return;
    // Nobody named a port: try it and end.
    const { port: free } = listener.localAddr;
    console.log(yield* all(["one", "two", "three"].map((text) => say(text, free))));
    listener.close(); // serve returns when its handlers have ended
  });
}

await new Loop().run(main(Number(Deno.args[0] ?? 0)));

/* Output:
[ "one", "two", "three" ]
*/
