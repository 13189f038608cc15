/** How errors read (R11, R36): when caught, when printed, when nobody catches them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  BrokenResourceError,
  BusyResourceError,
  Cancelled,
  ClosedResourceError,
  type Coroutine,
  DeadlockError,
  EndOfChannel,
  findError,
  moveOnAfter,
  Nursery,
  NurseryError,
  sleep,
  TaskCancelledError,
  TimeoutError,
} from "../../mod.ts";
import { bothErrors } from "../../src/kernel/nursery_error.ts";
import { nameOf, rejection, World } from "../support/world.ts";

Deno.test("every error class has its name, on the prototype, and is an Error", () => {
  const classes = {
    BrokenResourceError,
    BusyResourceError,
    Cancelled,
    ClosedResourceError,
    DeadlockError,
    EndOfChannel,
    NurseryError,
    TaskCancelledError,
    TimeoutError,
  };
  for (const [name, Class] of Object.entries(classes)) {
    assertEquals(Class.prototype.name, name);
    assert(Class.prototype instanceof Error);
  }
  assertEquals(Object.keys(new Cancelled("why")), ["reason", "source"]);
  assertEquals(String(new TimeoutError("late")), "TimeoutError: late");
});

Deno.test("Cancelled says why, where that can be said", () => {
  assertEquals(new Cancelled().message, "Cancelled");
  assertEquals(new Cancelled("shutdown").message, "Cancelled: shutdown");
  assertEquals(new Cancelled(new Error("boom")).message, "Cancelled: boom");
  assertEquals(new Cancelled({ code: 1 }).message, "Cancelled: object");
});

Deno.test("two errors for one: body and cleanup, and a third joins them", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => new Error(name));
  const two = bothErrors(a, b);
  assertEquals(two.message, "Error: a; then cleanup failed: Error: b");
  assertEquals(two.name, "AggregateError");
  assertEquals(two.cause, a);
  const three = bothErrors(two, c);
  assertEquals(three.errors, [a, b, c]);
  assertEquals(three.message, "Error: a; then cleanup failed: Error: b and 1 more");
});

async function sampleError(): Promise<NurseryError> {
  return await rejection(
    new World().loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(
        Nursery.open(function* (inner) {
          inner.startSoon(
            function* reader(): Coroutine {
              yield* sleep(1);
              throw new RangeError("first");
            }(),
            { name: "reader" },
          );
          inner.startSoon(
            function* (): Coroutine {
              yield* sleep(2);
              throw new Error("second");
            }(),
            { name: "writer" },
          );
        }, { exceptionPolicy: "accumulate" }),
        { name: "connection" },
      );
    })),
  ) as NurseryError;
}

Deno.test("R11: printed, a NurseryError shows each error once, below its task, without the frames of the loop", async () => {
  const error = await sampleError();
  const text = Deno.inspect(error, { colors: false });
  assertMatch(
    text,
    /^NurseryError: 2 errors; the first, in task connection > reader: RangeError: first; others in task writer/,
  );
  const lines = text.split("\n").map((line) => line.trim());
  for (const once of ["in task reader: RangeError: first", "in task writer: Error: second"]) {
    assertEquals(lines.filter((line) => line === once).length, 1, `${once}\n${text}`);
  }
  assertMatch(text, /at reader .*errors_test\.ts/);
  assert(!lines.includes(""), text);
  assert(!text.includes("scheduler.ts"), text);
});

for (
  const [runtime, command] of [["Deno", [Deno.execPath(), "run", "--no-check", "-R"]]] as const
) {
  Deno.test(`R11: uncaught, ${runtime} prints a NurseryError that names the task, the error and its line`, async () => {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(
        file,
        `import { Loop, Nursery, sleep } from ${
          JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
        };
function* worker() {
  yield* sleep(0);
  throw new RangeError("the worker broke");
}
await new Loop().run(Nursery.open(function* (nursery) {
  nursery.startSoon(worker(), { name: "worker" });
}));
`,
      );
      const { code, stderr } = await new Deno.Command(command[0], {
        args: [...command.slice(1), file],
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder().decode(stderr);
      assertEquals(code, 1);
      assertMatch(
        text,
        /NurseryError: 1 error, in task worker: RangeError: the worker broke/,
      );
      assertMatch(text, /RangeError: the worker broke\n[^]*at worker \(.*:4:9\)/);
    } finally {
      await Deno.remove(file);
    }
  });
}

Deno.test("R11: a nursery of many errors prints ten and counts the rest", async () => {
  const error = await rejection(
    new World().loop.run(Nursery.open(function* (nursery) {
      for (let i = 0; i < 25; i++) {
        nursery.startSoon(function* (): Coroutine {
          throw new Error(`number ${i}`);
        }());
      }
    })),
  ) as NurseryError;
  const text = Deno.inspect(error, { colors: false });
  assertMatch(text, /and 15 more/);
  assert(!text.includes("number 11"));
  assertEquals(error.flatten().length, 25);
});

Deno.test("R11: find does not give the NurseryError itself, but a nested one where that is asked for", async () => {
  const error = await sampleError();
  const inner = error.find(NurseryError);
  assert(inner !== undefined && inner !== error);
  assertEquals(inner.flatten().map(nameOf), ["RangeError: first", "Error: second"]);
  assertEquals(inner.tasks.map((task) => task.name), ["reader", "writer"]);
});

class NotFound extends Error {}

Deno.test("R11: an error of a class without a name of its own is printed as its class", async () => {
  const error = await rejection(
    new World().loop.run(Nursery.open(function* () {
      throw new NotFound("user 7");
    })),
  ) as NurseryError;
  assertEquals(error.message, "1 error, in task main: NotFound: user 7");
  assertMatch(Deno.inspect(error), /NotFound: user 7/);
});

Deno.test("R3: what a lone root task throws comes out of run() as itself, with its own frames and the call of run()", async () => {
  const { loop } = new World();
  const boom = new NotFound("user 7");
  async function program(): Promise<void> {
    await loop.run(function* failing(): Coroutine {
      yield* sleep(1);
      throw boom;
    }());
  }
  assert(await rejection(program()) === boom);
  const fresh = await rejection(
    (async function program() {
      await loop.run(function* failing(): Coroutine {
        yield* sleep(1);
        throw new NotFound("user 8");
      }());
    })(),
  ) as Error;
  // esbuild gives the second of two functions of one name a number, and Bun shows that.
  assertMatch(fresh.stack!, /user 8\n +at failing .*errors_test[^]*at .*program2? .*errors_test/);
  assert(!/runBatch|driveTask|#turn/.test(fresh.stack!), fresh.stack);
});

for (const policy of ["abort", "accumulate"] as const) {
  Deno.test(`R11: the error of a child that the body joined is reported once (${policy})`, async () => {
    const error = await rejection(
      new World().loop.run(Nursery.open(function* (nursery) {
        const task = nursery.startSoon(
          function* (): Coroutine {
            yield* sleep(1);
            throw new RangeError("boom");
          }(),
          { name: "worker" },
        );
        yield* task.join();
      }, { exceptionPolicy: policy })),
    ) as NurseryError;
    assertEquals(error.message, "1 error, in task worker: RangeError: boom");
    assertEquals(error.errors.length, 1);
    assertEquals(error.flatten().length, 1);
  });
}

Deno.test("R11: a Cancelled is not inside a SuppressedError, and what is inside one is found", async () => {
  const bad = () => ({
    [Symbol.dispose]() {
      throw new TypeError("dispose failed");
    },
  });
  const cancelled = await rejection(
    new World().loop.run(moveOnAfter(1, function* () {
      using _ = bad();
      yield* sleep(9);
    })),
  );
  assertEquals(nameOf(cancelled), "TypeError: dispose failed");
  const both = await rejection(
    new World().loop.run(Nursery.open(function* () {
      using _ = bad();
      throw new RangeError("the real problem");
    })),
  ) as NurseryError;
  assertEquals(both.flatten().map(nameOf), [
    "TypeError: dispose failed",
    "RangeError: the real problem",
  ]);
  assertEquals(both.find(RangeError)?.message, "the real problem");
  assertEquals(findError(both, RangeError), both.find(RangeError));
});

Deno.test("findError gives the error itself, or the first of a class anywhere in it, and never loops", () => {
  const inner = new NotFound("inner");
  assertEquals(findError(inner, NotFound), inner);
  assertEquals(findError(new Error("outer", { cause: inner }), NotFound), inner);
  assertEquals(findError(new AggregateError([1, null, inner]), NotFound), inner);
  const round = new Error("round");
  round.cause = new AggregateError([round]);
  assertEquals(findError(round, NotFound), undefined);
  for (const no of [null, undefined, 5, "text", Object.create(null)]) {
    assertEquals(findError(no, Error), undefined);
  }
});

Deno.test("R11: the message names the other tasks, and a few only", async () => {
  const error = await rejection(
    new World().loop.run(Nursery.open(function* (nursery) {
      for (const name of "abcdefgh") {
        nursery.startSoon(
          function* (): Coroutine {
            throw new Error(name);
          }(),
          { name },
        );
      }
    })),
  ) as NurseryError;
  assertEquals(
    error.message,
    "8 errors; the first, in task a: Error: a; others in tasks b, c, d and 4 more",
  );
});
