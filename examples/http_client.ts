// deno run --allow-net examples/http_client.ts
// With a host and a port as arguments it gets / there: example.com 80
import { Buffer } from "node:buffer";
import { HTTPParser } from "http-parser-js";
import { type Coroutine, failAfter, Loop, Nursery, type Operation } from "jsr:@broomio/core";
import { type Socket, TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);

/** Gets a page over a connection, whatever that is made of. */
function* get(stream: Socket, host: string): Coroutine<{ status: number; body: string }> {
  yield* stream.send(encode(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
  const parser = new HTTPParser(HTTPParser.RESPONSE);
  const response = { status: 0, body: "" };
  let complete = false;
  parser[HTTPParser.kOnHeadersComplete] = ({ statusCode }) => void (response.status = statusCode);
  parser[HTTPParser.kOnBody] = (chunk, offset, length) => {
    response.body += chunk.toString("utf8", offset, offset + length);
  };
  parser[HTTPParser.kOnMessageComplete] = () => void (complete = true);
  while (!complete) {
    const bytes = yield* stream.recv();
    const result = bytes === null ? parser.finish() : parser.execute(Buffer.from(bytes));
    if (result instanceof Error) throw result;
    if (bytes === null) break;
  }
  return response;
}

function* main(hostname: string, port: number): Coroutine {
  using stream = yield* TcpClientSocket.connect({ hostname, port, timeout: 5 });
  const { status, body } = yield* failAfter(10, get(stream, hostname));
  console.log(status, body.trimEnd());
}

/** A server to try it with, which sends its page in two pieces. */
function* tryIt(): Coroutine {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(function* (stream) {
      yield* stream.recv();
      yield* stream.send(encode("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
      yield* stream.send(encode("6\r\nhello \r\n6\r\nworld\n\r\n0\r\n\r\n"));
    }));
    yield* main("127.0.0.1", listener.localAddr.port);
    nursery.cancel();
  });
}

const [hostname, port] = Deno.args;
const program: Operation<void> = hostname ? main(hostname, Number(port)) : tryIt();
await new Loop().run(program);

/* Output:
200 hello world
*/
