/** Programs for deno_permissions_test.ts, run with few permissions. */
import { CancelScope, type Coroutine, Loop } from "../../mod.ts";
import { Process, ProcessStartError } from "../../src/os/mod.ts";

const programs: Record<string, () => Coroutine<unknown>> = {
  *start() {
    try {
      yield* Process.start("sh", ["-c", "exit 0"]);
      console.log("started");
    } catch (error) {
      if (!(error instanceof ProcessStartError)) throw error;
      console.log(`${error.code}\n${error.message}`);
    }
  },
  *group() {
    for (let i = 0; i < 2; i++) {
      let child!: Process;
      yield* CancelScope.open(function* () {
        child = yield* Process.start("sleep", ["60"]);
      });
      console.log(child.status!.signal);
    }
  },
  *grandchild() {
    const start = performance.now();
    yield* CancelScope.open(function* () {
      const child = yield* Process.start("sh", ["-c", "sleep 60 & exit 3"], { grace: 0.5 });
      console.log((yield* child.wait()).code);
    });
    console.log(performance.now() - start < 10_000);
  },
};

const loop = new Loop({ onWarning: ({ message }) => console.log(message) });
await loop.run(programs[Deno.args[0]]());
