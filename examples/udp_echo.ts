// deno run --allow-net examples/udp_echo.ts
// With a port as its argument it echoes until Ctrl-C: nc -u 127.0.0.1 7007
import { type Coroutine, Loop, moveOnAfter, Nursery } from "jsr:@broomio/core";
import { UdpSocket } from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);

function* echo(socket: UdpSocket): Coroutine {
  for (;;) {
    const { bytes, address } = yield* socket.recvFrom();
    yield* socket.sendTo(bytes, address);
  }
}

/** Asks until there is an answer: a message may get lost. */
function* ask(text: string, port: number): Coroutine<string> {
  using socket = yield* UdpSocket.bind({ hostname: "127.0.0.1" });
  for (;;) {
    yield* socket.sendTo(encode(text), { hostname: "127.0.0.1", port });
    const answer = yield* moveOnAfter(0.5, socket.recvFrom());
    if (answer !== undefined) return new TextDecoder().decode(answer.bytes);
  }
}

function* main(port: number): Coroutine {
  using socket = yield* UdpSocket.bind({ hostname: "127.0.0.1", port });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(echo(socket));
    if (port !== 0) return;
    // Nobody named a port: try it and end.
    for (const text of ["hello", "world"]) console.log(yield* ask(text, socket.localAddr.port));
    nursery.cancel();
  });
}

await new Loop().run(main(Number(Deno.args[0] ?? 0)));

/* Output:
hello
world
*/
