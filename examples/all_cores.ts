// deno run --unstable-net --allow-net --allow-run examples/all_cores.ts
// A server on all cores: one process a core behind one port. One that dies is started again; at the end each
// gets SIGTERM, finishes what it is answering, and ends. `deno` and the flag are what reusePort needs on Deno.
import { CancelScope, type Coroutine, Nursery, openChannel, type Sender } from "jsr:@broomio/core";
import { BufferedReader, TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
import { main, Process, signals } from "jsr:@broomio/core/os";

const WORKERS = 2; // navigator.hardwareConcurrency
const hostname = "127.0.0.1";

function* worker(port: number): Coroutine {
  const listener = yield* TcpListenSocket.listen({ hostname, port, reusePort: true });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(function* () {
      yield* signals("SIGTERM");
      listener.close(); // no new connection; those that are being served are served
    }());
    console.log("ready");
    yield* listener.serve((stream) => stream.send(new TextEncoder().encode(`${Deno.pid}\n`)));
  });
}

function* keep(port: number, ready: Sender<void>): Coroutine {
  const args = ["run", "--unstable-net", "--allow-net", import.meta.url, `${port}`];
  for (;;) {
    yield* CancelScope.open(function* () {
      const child = yield* Process.start("deno", args, { stdout: "pipe", grace: 10 });
      yield* new BufferedReader(child.stdout).lines(() => ready.send());
      console.log(`a worker ended with ${(yield* child.wait()).signal}`);
    });
  }
}

function* ask(port: number): Coroutine<number> {
  using stream = yield* TcpClientSocket.connect({ hostname, port });
  return Number(yield* new BufferedReader(stream).readLine());
}

function* server(): Coroutine {
  const reserved = yield* TcpListenSocket.listen({ hostname, port: 0, reusePort: true });
  const { port } = reserved.localAddr;
  reserved.close();
  yield* Nursery.open(function* (nursery) {
    const { sender, receiver } = openChannel<void>(0);
    for (let i = 0; i < WORKERS; i++) nursery.startSoon(keep(port, sender));
    for (let i = 0; i < WORKERS; i++) yield* receiver.receive();
    Deno.kill(yield* ask(port), "SIGKILL");
    yield* receiver.receive(); // the one in its place
    console.log(`answered: ${(yield* ask(port)) > 0}`);
    nursery.cancel();
  });
  console.log("drained");
}
await main(Deno.args.length > 0 ? worker(Number(Deno.args[0])) : server());
/* Output:
a worker ended with SIGKILL
answered: true
drained
*/
