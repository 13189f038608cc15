// deno run --allow-net --unstable-no-legacy-abort examples/server_events.ts
// Server-sent events: whatever is broadcast goes to every client that listens; the server ends gracefully.
import { Broadcast, type Coroutine, Loop, Nursery, sleep, until } from "jsr:@broomio/core";
import {
  eventStream,
  eventStreamHeaders,
  type HttpAddress,
  serveHttp,
  type ServerSentEvent,
} from "jsr:@broomio/core/http";

const news = new Broadcast<ServerSentEvent>({ capacity: 16, slow: "dropOldest" });

function* handle(request: Request): Coroutine<Response> {
  if (new URL(request.url).pathname !== "/events") {
    return new Response("Not Found", { status: 404 });
  }
  // Ends with its client, and ends its subscription.
  const body = eventStream(news.subscribe(), { heartbeat: 15 });
  return new Response(body, { headers: eventStreamHeaders });
}

function* publish() {
  for (let id = 1; id <= 3; id++) {
    yield* sleep(0.05);
    yield* news.send({ event: "news", id: `${id}`, data: `story ${id}` });
  }
}

/** A client, which a browser has built in: new EventSource("/events"). */
async function listen(name: string, port: number, stories: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/events`);
  const events = response.body!.pipeThrough(new TextDecoderStream());
  for await (const event of events) {
    console.log(`${name}: ${event.split("\n")[2]}`);
    if (--stories === 0) return; // goes away
  }
}

await new Loop().run(Nursery.open(function* (nursery) {
  const { port } = yield* nursery.start<HttpAddress>((onListen) => serveHttp({ onListen }, handle));
  nursery.startSoon(publish());
  yield* until(Promise.all([listen("ann", port, 3), listen("bob", port, 1)]));
  nursery.cancel();
}));
console.log(`${news.statistics().subscribers} subscribers are left`);

/* Output:
...
ann: data: story 2
ann: data: story 3
0 subscribers are left
*/
