// A receive is cancelled while nothing has come; what comes later is there for the next one.
import { Loop, moveOnAfter, Nursery } from "jsr:@broomio/core";
import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";

function* main() {
  const listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(function* (stream) {
      for (let bytes = yield* stream.recv(); bytes; bytes = yield* stream.recv()) {
        yield* stream.send(bytes);
      }
    }));
    const client = yield* TcpClientSocket.connect({ ...listener.localAddr });
    const early = yield* moveOnAfter({ milliseconds: 30 }, client.recv());
    console.log(`in time: ${early}`);
    yield* client.send(new TextEncoder().encode("hello"));
    const late = yield* client.recv();
    console.log(`later: ${new TextDecoder().decode(late ?? undefined)}`);
    client.close();
    nursery.cancel();
  });
  listener.close();
}
void new Loop().run(main());
/* Output:
in time: undefined
later: hello
*/
