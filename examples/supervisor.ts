// deno run --allow-run examples/supervisor.ts
// Keeps a process running: when it ends it is started again, after a pause that doubles each time. Ctrl-C,
// here a time limit, ends it with its children: SIGTERM to the group, SIGKILL two seconds later.
import { CancelScope, type Coroutine, currentLoop, moveOnAfter, sleep } from "jsr:@broomio/core";
import { BufferedReader } from "jsr:@broomio/core/net";
import { main, Process } from "jsr:@broomio/core/os";

const FIRST_PAUSE = 0.1;
const LONGEST_PAUSE = 30;
/** After running for so long it is healthy: the next pause is the first again. */
const HEALTHY = 10;

function* supervise(command: string, args: string[]): Coroutine {
  const loop = yield* currentLoop();
  for (let pause = FIRST_PAUSE;; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const start = loop.now;
    // Children that it has left behind end with this scope, before it is started again.
    yield* CancelScope.open(function* () {
      const child = yield* Process.start(command, args, { stdout: "pipe", grace: 2 });
      yield* new BufferedReader(child.stdout).lines(function* (line) {
        console.log(line);
      });
      const { code, signal } = yield* child.wait();
      console.log(`ended with ${signal ?? code}`);
    });
    if (loop.now - start > HEALTHY) pause = FIRST_PAUSE;
    console.log(`again in ${pause} s`);
    yield* sleep(pause);
  }
}

await main(function* () {
  yield* moveOnAfter(1, supervise("sh", ["-c", "echo working; sleep 0.05; exit 3"]));
  console.log("stopped");
});

/* Output:
working
ended with 3
again in 0.1 s
working
ended with 3
again in 0.2 s
...
stopped
*/
