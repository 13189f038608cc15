// deno run --allow-net examples/web_socket_chat.ts
// A chat over WebSockets: everybody hears everybody; who is silent, or does not read, is let go.
import * as b from "jsr:@broomio/core";
import { fromWebSocket, type HttpAddress, serveHttp } from "jsr:@broomio/core/http";

const beat = 0.05, patience = 0.3; // seconds; on a real network, 20 and 60
const members = new Set<b.Sender<string>>();

function sayToAll(text: string): void {
  for (const member of members) {
    if (!member.trySend(text) && members.delete(member)) member.close(); // too slow: it ends
  }
}

function* serveMember(socket: WebSocket, name: string): b.Coroutine {
  using messages = yield* fromWebSocket(socket, { writeTimeout: 10 });
  const { sender, receiver } = b.openChannel<string>(100);
  members.add(sender);
  yield* b.ensure(() => void members.delete(sender));
  yield* b.race([
    receiver.forEach((text) => messages.send(text)),
    b.every(beat, () => messages.send("ping")), // the heartbeat
    b.call(function* () {
      for (;;) {
        const text = yield* b.moveOnAfter(patience, messages.receive());
        if (text === undefined || text === null) return; // not even a pong in time; or the end
        if (text !== "pong") sayToAll(`${name}: ${text}`);
      }
    }),
  ]);
}

function* chat(port: number, name: string, answers: boolean): b.Coroutine {
  using messages = yield* fromWebSocket(new WebSocket(`ws://127.0.0.1:${port}/${name}`));
  yield* messages.send("hello");
  yield* messages.forEach(function* (text) {
    if (text !== "ping") console.log(`${name} hears ${text}`);
    else if (answers) yield* messages.send("pong");
  });
  console.log(`${name} was let go`);
}

await new b.Loop().run(b.Nursery.open(function* (nursery) {
  const { port } = yield* nursery.start<HttpAddress>((onListen) =>
    serveHttp({ onListen }, function* (request) {
      const { socket, response } = Deno.upgradeWebSocket(request);
      // Settled: a connection that is lost is an error, and ends nobody else.
      nursery.startSoon(b.settle(serveMember(socket, new URL(request.url).pathname.slice(1))));
      return response;
    })
  );
  yield* b.race([chat(port, "ann", true), chat(port, "bob", false)]);
  nursery.cancel();
}));

/* Output:
...
bob was let go
*/
