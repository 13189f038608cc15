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
  assertEquals(Object.keys(new Cancelled("why")), ["reason"]);
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
    /^NurseryError: 2 errors; the first, in task main > connection > reader: RangeError: first/,
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
        /NurseryError: 1 error, in task main > worker: RangeError: the worker broke/,
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
  const nested = error.find(NurseryError);
  assert(nested !== undefined && nested !== error);
  const inner = nested.find(NurseryError);
  assert(inner !== undefined);
  assertEquals(inner.flatten().map(nameOf), ["RangeError: first", "Error: second"]);
  assertEquals(inner.tasks.map((task) => task.name), ["reader", "writer"]);
});
