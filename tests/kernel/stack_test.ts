/** Rule R36: what of a stack is a coroutine's own. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Coroutine,
  currentTask,
  failAfter,
  Lock,
  Nursery,
  type Operation,
  sleep,
  suspend,
  TaskLocal,
  TimeoutError,
  until,
} from "../../mod.ts";
import { coroutineFrames } from "../../src/kernel/stack.ts";
import { rejection, World } from "../support/world.ts";

Deno.test("R36: the loop's frames are left out of a stack", () => {
  const own = [
    "    at reader (file:///app/main.js:64:21)",
    "    at main (file:///app/main.js:9:3)",
  ];
  for (const step of ["resumeTask", "driveTask", "stepTask", "runBatch"]) {
    const loop = [`    at ${step} (file:///app/scheduler.js:219:29)`, "    at turn (native:1:11)"];
    assertEquals(coroutineFrames([...own, ...loop]), own, step);
  }
});

Deno.test("R36: a function of the user's that is called step stays in a stack", () => {
  const own = ["    at step (file:///app/main.js:64:21)", "    at main (file:///app/main.js:9:3)"];
  assertEquals(coroutineFrames(own), own);
});

/** What misuse throws is caught in `user`, which `outer` calls. */
async function stackOf(misuse: () => Operation<unknown>): Promise<string> {
  let stack = "";
  await new World().loop.run(function* (): Coroutine {
    try {
      yield* misuse();
    } catch (error) {
      stack = (error as Error).stack!;
    }
  }());
  return stack;
}

const local = new TaskLocal<number>("requestId");
const MISUSES: Record<string, () => Coroutine<unknown>> = {
  *"a local without a value"() {
    yield* local.get();
  },
  *"a task that joins itself"() {
    yield* (yield* currentTask()).join();
  },
  *"yield of an operation without the star"() {
    // deno-lint-ignore broomio/yield-star -- what is refused is tested here
    yield sleep(1) as never;
  },
  *"a bare yield"() {
    yield undefined as never;
  },
  *"start in a nursery that is closed"() {
    let kept!: Nursery;
    yield* Nursery.open(function* (nursery) {
      kept = nursery;
    });
    yield* kept.start(function* () {});
  },
  *"a lock that is acquired twice"() {
    const lock = new Lock();
    yield* lock.acquire();
    try {
      yield* lock.acquire();
    } finally {
      lock.release();
    }
  },
  *"an operation that is used twice"() {
    const operation = sleep(0);
    yield* operation;
    yield* operation;
  },
  *"a timeout"() {
    yield* failAfter(1, sleep(2));
  },
  *"a nursery that fails"() {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(until(Promise.reject(new Error("boom"))));
    });
  },
};

for (const [what, misuse] of Object.entries(MISUSES)) {
  Deno.test(`R36: the error of ${what} shows the user's line, and no frame of the loop`, async () => {
    const stack = await stackOf(misuse);
    assertMatch(stack, /stack_test\.ts/);
    const first = stack.split("\n").find((line) => /^ +at /.test(line))!;
    assertMatch(first, /stack_test\.ts/, stack);
    assert(!/driveTask|runBatch|stepTask/.test(stack), stack);
  });
}

Deno.test("R36: an error that a callback of the user's throws keeps its own frames first", async () => {
  const stack = await stackOf(function* () {
    yield* suspend(function starting() {
      throw new RangeError("cannot");
    });
  });
  assertMatch(stack, /^RangeError: cannot\n +at starting .*stack_test.*\n +at .*stack_test/);
});

for (const what of ["throws", "gives an array"]) {
  Deno.test(`R36: a prepareStackTrace that ${what} harms no error`, async () => {
    const kept = Error.prepareStackTrace;
    Error.prepareStackTrace = what === "throws"
      ? () => {
        throw new Error("prepareStackTrace");
      }
      : (_error, frames) => frames;
    try {
      const error = await rejection(new World().loop.run(failAfter(1, sleep(2))));
      assert(error instanceof TimeoutError);
    } finally {
      Error.prepareStackTrace = kept;
    }
  });
}
