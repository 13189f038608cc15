// deno run --allow-net --allow-read=/tmp --allow-write=/tmp examples/http_proxy_unix.ts
// With a path it serves until Ctrl-C: curl --unix-socket /tmp/proxy.sock http://127.0.0.1:8080/
import { Buffer } from "node:buffer";
import { HTTPParser } from "http-parser-js";
import { type Coroutine, Loop, Nursery } from "jsr:@broomio/core";
import * as net from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);

function* pump(from: net.Socket, to: net.Socket): Coroutine {
  for (let bytes = yield* from.recv(); bytes; bytes = yield* from.recv()) yield* to.send(bytes);
  yield* to.shutdown();
}

/** Connects to the host that the head of the first request names, and passes everything on. */
function* proxy(client: net.UnixClientSocket): Coroutine {
  const parser = new HTTPParser(HTTPParser.REQUEST);
  const seen: Uint8Array[] = [];
  let host: string | undefined;
  parser[HTTPParser.kOnHeadersComplete] = ({ headers }) => {
    host = headers[headers.findIndex((name) => name.toLowerCase() === "host") + 1];
  };
  while (host === undefined) {
    const bytes = yield* client.recv();
    if (bytes === null || parser.execute(Buffer.from(bytes)) instanceof Error) return;
    seen.push(bytes);
  }
  const { hostname, port } = new URL(`http://${host}`);
  using server = yield* net.TcpClientSocket.connect({ hostname, port: Number(port || 80) });
  for (const bytes of seen) yield* server.send(bytes);
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(pump(client, server));
    yield* pump(server, client);
    nursery.cancel(); // the answer is complete
  });
}

function* main(path?: string): Coroutine {
  const own = { path: path ?? `/tmp/try-${Deno.pid}.sock` };
  using listener = yield* net.UnixListenSocket.listen(own);
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(proxy));
    if (path !== undefined) return;
    // Nobody named a path: try it with a server behind it, and end.
    using origin = yield* net.TcpListenSocket.listen({ hostname: "127.0.0.1" });
    nursery.startSoon(origin.serve(function* (stream) {
      yield* stream.recv();
      yield* stream.send(encode("HTTP/1.0 200 OK\r\n\r\nhi\n"));
    }));
    using client = yield* net.UnixClientSocket.connect(own);
    yield* client.send(
      encode(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${origin.localAddr.port}\r\n\r\n`),
    );
    console.log(new TextDecoder().decode((yield* client.recv())!));
    nursery.cancel();
  });
}

await new Loop().run(main(Deno.args[0]));
