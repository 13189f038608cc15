// deno run --allow-net examples/web_socket_chat.ts
// A chat over WebSockets: everybody hears everybody; the silent, and those who do not read, are let go.
import * as b from "jsr:@broomio/core";
import { fromWebSocket, type HttpAddress, serveHttp } from "jsr:@broomio/core/http";

const members = new Set<b.Sender<string>>();

function sayToAll(text: string): void {
  for (const member of members) {
    if (member.trySend(text)) continue;
    members.delete(member); // a hundred messages wait for it: too slow for this chat
    member.close(); // which ends it, below
  }
}

function* serveMember(socket: WebSocket, name: string): b.Coroutine {
  using messages = yield* fromWebSocket(socket, { writeTimeout: 10 });
  const { sender, receiver } = b.openChannel<string>(100);
  members.add(sender);
  yield* b.ensure(() => void members.delete(sender));
  yield* b.race([
    receiver.forEach((text) => messages.send(text)),
    b.call(function* () { // heartbeat
      for (;; yield* b.sleep(20)) yield* messages.send("ping");
    }),
    b.call(function* () {
      for (;;) {
        const text = yield* b.moveOnAfter(60, messages.receive());
        if (text === undefined || text === null) return; // not even a pong in a minute, or the end
        if (text !== "pong") sayToAll(`${name}: ${text}`);
      }
    }),
  ]);
}

function* chat(port: number, name: string): b.Coroutine {
  using messages = yield* fromWebSocket(new WebSocket(`ws://127.0.0.1:${port}/${name}`));
  while ((yield* messages.receive()) !== "ping");
  yield* b.sleep(0.1); // the others come
  yield* messages.send("hello");
  for (let i = 0; i < 2; i++) console.log(`${name} hears ${yield* messages.receive()}`);
}

await new b.Loop().run(b.Nursery.open(function* (nursery) {
  const { port } = yield* nursery.start<HttpAddress>((onListen) =>
    serveHttp({ onListen }, function* (request) {
      const { socket, response } = Deno.upgradeWebSocket(request);
      nursery.startSoon(serveMember(socket, new URL(request.url).pathname.slice(1)));
      return response;
    })
  );
  yield* b.all([chat(port, "ann"), chat(port, "bob")]);
  nursery.cancel();
}));

/* Output:
...
ann hears bob: hello
...
*/
