// deno run --allow-net --allow-run=openssl examples/https_client.ts
// With a host and a port as arguments it says HEAD / there: example.com 443
import { type Coroutine, Loop, Nursery } from "jsr:@broomio/core";
import {
  BufferedReader,
  SocketError,
  TlsClientSocket,
  type TlsConnectOptions,
  TlsListenSocket,
} from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);

function* head(options: TlsConnectOptions): Coroutine {
  try {
    using stream = yield* TlsClientSocket.connect({ ...options, timeout: 10 });
    yield* stream.send(encode(`HEAD / HTTP/1.0\r\nHost: ${options.hostname}\r\n\r\n`));
    yield* new BufferedReader(stream).lines(function* (line) {
      console.log(line);
    });
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    console.log(error.code);
  }
}

/** A server to try it with, whose certificate signs itself. */
function* tryIt(): Coroutine {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 " +
    "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout - -out -";
  const openssl = new Deno.Command("openssl", { args: words.split(" "), stderr: "null" });
  const pem = new TextDecoder().decode(openssl.outputSync().stdout);
  using listener = yield* TlsListenSocket.listen({ hostname: "127.0.0.1", cert: pem, key: pem });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(function* (stream) {
      yield* new BufferedReader(stream).readUntil(encode("\r\n\r\n"));
      yield* stream.send(encode("HTTP/1.0 200 OK\r\nServer: broomio\r\n\r\n"));
    }));
    const { port } = listener.localAddr;
    yield* head({ hostname: "localhost", port, caCerts: [pem] });
    yield* head({ hostname: "localhost", port }); // who has not been told to trust it does not
    yield* head({ hostname: "127.0.0.1", port, caCerts: [pem] }); // not the name it has
    nursery.cancel();
  });
}

const [hostname, port] = Deno.args;
await new Loop().run(hostname ? head({ hostname, port: Number(port) }) : tryIt());

/* Output:
HTTP/1.0 200 OK
Server: broomio

EPROTO
EPROTO
*/
