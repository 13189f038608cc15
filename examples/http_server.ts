// deno run --allow-net examples/http_server.ts
// With a port as its argument it serves until Ctrl-C: curl http://127.0.0.1:8080/
import { Buffer } from "node:buffer";
import { HTTPParser } from "http-parser-js";
import { type Coroutine, Loop, Nursery } from "jsr:@broomio/core";
import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);

function reply(status: string, page: string): Uint8Array {
  return encode(`HTTP/1.1 ${status}\r\nContent-Length: ${page.length}\r\n\r\n${page}`);
}

/** One connection: requests may come one by one, in pieces, or many at once. */
function* handle(stream: TcpClientSocket): Coroutine {
  const parser = new HTTPParser(HTTPParser.REQUEST);
  const urls: string[] = [];
  parser[HTTPParser.kOnHeadersComplete] = ({ url }) => void urls.push(url);
  for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
    const result = parser.execute(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    for (const url of urls.splice(0)) yield* stream.send(reply("200 OK", `You asked for ${url}\n`));
    if (result instanceof Error) return yield* stream.send(reply("400 Bad Request", "What?\n"));
  }
}

function* main(port: number): Coroutine {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(handle));
    if (port !== 0) return console.log(`http://127.0.0.1:${port}/`);
    // Nobody named a port: try it and end.
    using client = yield* TcpClientSocket.connect(listener.localAddr);
    yield* client.send(encode("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    console.log(new TextDecoder().decode((yield* client.recv())!));
    nursery.cancel();
  });
}

await new Loop().run(main(Number(Deno.args[0] ?? 0)));

/* Output:
HTTP/1.1 200 OK
...
You asked for /hello
*/
