// deno run --allow-net examples/chat_server.ts
// With a port as its argument it serves until Ctrl-C: nc 127.0.0.1 7070
import { type Coroutine, Loop, Nursery, openChannel, type Sender, sleep } from "jsr:@broomio/core";
import { BufferedReader, TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";

const encode = (text: string) => new TextEncoder().encode(text);
const everybody = new Set<Sender<string>>();

/**
 * Puts a line into the channel of each. Who is a hundred lines behind misses it: nobody waits for
 * the slowest.
 */
function tell(line: string): void {
  for (const one of everybody) one.trySend(`${line}\n`);
}

function* chat(stream: TcpClientSocket): Coroutine {
  const reader = new BufferedReader(stream, { limit: 1000 });
  yield* stream.send(encode("Your name?\n"));
  const name = yield* reader.readLine();
  if (name === null) return;
  const { sender, receiver } = openChannel<string>(100);
  everybody.add(sender);
  tell(`* ${name} came`);
  try {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(receiver.forEach((line) => stream.send(encode(line))));
      let line: string | null;
      while ((line = yield* reader.readLine()) !== null) tell(`${name}: ${line}`);
      nursery.cancel(); // the client has gone
    });
  } finally {
    everybody.delete(sender);
    tell(`* ${name} left`);
  }
}

function* main(port: number): Coroutine {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(chat));
    if (port !== 0) return; // else try it and end
    using ann = yield* TcpClientSocket.connect(listener.localAddr);
    yield* ann.send(encode("Ann\n"));
    yield* sleep(0.1);
    const bob = yield* TcpClientSocket.connect(listener.localAddr);
    yield* bob.send(encode("Bob\nhello\n"));
    yield* sleep(0.1);
    bob.close();
    const reader = new BufferedReader(ann);
    for (let lines = 0; lines < 5; lines++) console.log(yield* reader.readLine());
    nursery.cancel();
  });
}

await new Loop().run(main(Number(Deno.args[0] ?? 0)));

/* Output:
Your name?
* Ann came
...
*/
