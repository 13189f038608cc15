// A TLS round trip; the authority, certificate and key come in the environment.
import { Loop, Nursery } from "jsr:@broomio/core";
import { TlsClientSocket, TlsListenSocket } from "jsr:@broomio/core/net";
import process from "node:process";

const { ca, cert, key } = JSON.parse(process.env["BROOMIO_IDENTITY"] ?? "{}");

function* main() {
  const listener = yield* TlsListenSocket.listen({ hostname: "127.0.0.1", port: 0, cert, key });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(function* (stream) {
      for (let bytes = yield* stream.recv(); bytes; bytes = yield* stream.recv()) {
        yield* stream.send(bytes);
      }
    }));
    const client = yield* TlsClientSocket.connect({ ...listener.localAddr, caCerts: [ca] });
    yield* client.send(new TextEncoder().encode("secret"));
    const bytes = yield* client.recv();
    console.log(`came back: ${new TextDecoder().decode(bytes ?? undefined)}`);
    client.close();
    nursery.cancel();
  });
  listener.close();
}
void new Loop().run(main());
/* Output:
came back: secret
*/
