// deno run --allow-net --allow-run=openssl examples/https_server.ts
// With a port as its argument it serves until Ctrl-C: curl --insecure https://localhost:8443/
import { type Coroutine, Loop, Nursery } from "jsr:@broomio/core";
import { BufferedReader, TlsClientSocket, TlsListenSocket } from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);

/** A certificate for localhost that signs itself, and its key, in one text. */
function makeCertificate(): string {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 " +
    "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout - -out -";
  const openssl = new Deno.Command("openssl", { args: words.split(" "), stderr: "null" });
  return new TextDecoder().decode(openssl.outputSync().stdout);
}

function* handle(stream: TlsClientSocket): Coroutine {
  const reader = new BufferedReader(stream, { limit: 8192 });
  for (;;) {
    const head = yield* reader.readUntil(encode("\r\n\r\n"));
    if (head === null) return;
    const [method, path] = new TextDecoder().decode(head).split(" ");
    const page = `You said ${method} ${path}\n`;
    const fields = `Content-Type: text/plain\r\nContent-Length: ${page.length}`;
    yield* stream.send(encode(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${page}`));
  }
}

function* main(port: number): Coroutine {
  const pem = makeCertificate();
  using listener = yield* TlsListenSocket.listen({
    hostname: "127.0.0.1",
    port,
    cert: pem,
    key: pem,
    alpnProtocols: ["http/1.1"],
  });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(handle));
    if (port !== 0) return;
    // Nobody named a port: try it and end.
    using stream = yield* TlsClientSocket.connect({
      hostname: "localhost",
      port: listener.localAddr.port,
      caCerts: [pem],
      alpnProtocols: ["http/1.1"],
    });
    yield* stream.send(encode("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    console.log(stream.alpnProtocol, new TextDecoder().decode((yield* stream.recv())!));
    nursery.cancel();
  });
}

await new Loop().run(main(Number(Deno.args[0] ?? 0)));

/* Output:
http/1.1 HTTP/1.1 200 OK
...
You said GET /hello
*/
