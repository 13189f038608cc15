// deno run --allow-net --allow-read=/tmp --allow-write=/tmp examples/unix_http_server.ts
// With a path as its argument it serves until Ctrl-C: curl --unix-socket /tmp/web.sock
// http://localhost/
import { Buffer } from "node:buffer";
import { HTTPParser } from "http-parser-js";
import { type Coroutine, Loop, moveOnAfter, Nursery } from "jsr:@broomio/core";
import { UnixClientSocket, UnixListenSocket } from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);

/** Answers each request with what was posted. Who says nothing for 30 s is given up. */
function* handle(stream: UnixClientSocket): Coroutine {
  const parser = new HTTPParser(HTTPParser.REQUEST);
  const replies: Uint8Array[] = [];
  let body = "";
  parser[HTTPParser.kOnBody] = (chunk, offset, length) => {
    body += chunk.toString("utf8", offset, offset + length);
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    const page = encode(`You said: ${body || "nothing"}\n`);
    replies.push(encode(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n`), page);
    body = "";
  };
  for (;;) {
    const bytes = yield* moveOnAfter(30, stream.recv());
    if (!bytes || parser.execute(Buffer.from(bytes)) instanceof Error || body.length > 1e6) return;
    for (const reply of replies.splice(0)) yield* stream.send(reply);
  }
}

function* main(path: string | undefined): Coroutine {
  // A path that a killed server left behind is taken over.
  using listener = yield* UnixListenSocket.listen({ path: path ?? `/tmp/try-${Deno.pid}.sock` });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(handle, {
      onError: (error) => console.error(error),
    }));
    if (path !== undefined) return;
    // Nobody named a path: try it and end.
    using client = yield* UnixClientSocket.connect(listener.localAddr);
    yield* client.send(encode("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"));
    console.log(new TextDecoder().decode((yield* client.recv())!));
    nursery.cancel();
  });
}

await new Loop().run(main(Deno.args[0]));

/* Output:
HTTP/1.1 200 OK
...
You said: hello
*/
