import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  checkpoint,
  type Coroutine,
  fromEvent,
  fromReadableStream,
  Loop,
  moveOnAfter,
  Nursery,
  type Operation,
  select,
  sleep,
} from "../../mod.ts";

const run = <T>(main: Operation<T>): Promise<T> => new Loop().run(main);
const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** A stream of 1 to `count`, each after 2 ms, that logs what is done with it. */
function numbers(log: string[], count: number): ReadableStream<number> {
  let last = 0;
  return new ReadableStream<number>({
    async pull(controller) {
      await pause(2);
      if (last === count) controller.close();
      else controller.enqueue(++last);
    },
    cancel() {
      log.push("cancel");
    },
  }, { highWaterMark: 0 });
}

function* caught(operation: Operation<unknown>): Coroutine<unknown> {
  try {
    return yield* operation;
  } catch (error) {
    return (error as Error).name;
  }
}

Deno.test("fromReadableStream gives every chunk, then the end, and frees the stream", async () => {
  const log: string[] = [];
  const stream = numbers(log, 3);
  const source = fromReadableStream(stream);
  assertEquals(stream.locked, true);
  const seen: number[] = [];
  await run(source.forEach((value) => void seen.push(value)));
  assertEquals([seen, log, stream.locked], [[1, 2, 3], [], false]);
});

Deno.test("leaving forEach early cancels the stream: by false, by an error, by a cancel", async () => {
  const endings: (() => Operation<void | false> | false | void)[] = [
    () => false,
    () => {
      throw new RangeError("boom");
    },
    () => sleep(60),
  ];
  for (const ending of endings) {
    const log: string[] = [];
    const stream = numbers(log, 3);
    await run(moveOnAfter(0.02, caught(fromReadableStream(stream).forEach(ending))));
    assertEquals([log, stream.locked], [["cancel"], false]);
  }
});

Deno.test("R18: a cancelled pull loses no chunk: the next one gets it", async () => {
  const seen: unknown[] = [];
  await run(function* () {
    using source = fromReadableStream(numbers([], 3));
    for (;;) {
      const result = yield* moveOnAfter(0.0005, source.next());
      if (result?.done) break;
      if (result) seen.push(result.value);
    }
  }());
  assertEquals(seen, [1, 2, 3]);
});

Deno.test("R18: nor does a select that chose another arm", async () => {
  const seen: unknown[] = [];
  let late = 0;
  await run(function* () {
    using source = fromReadableStream(numbers([], 3));
    for (;;) {
      const chosen = yield* select({ chunk: source.next(), late: sleep(0.0005) });
      if (chosen.arm === "late") late++;
      else if (chosen.value.done) break;
      else seen.push(chosen.value.value);
    }
  }());
  assertEquals(seen, [1, 2, 3]);
  assertEquals(late > 0, true);
});

Deno.test("R29: tasks that wait on one source are served first come, first served", async () => {
  const log: string[] = [];
  await run(Nursery.open(function* (nursery) {
    const source = fromReadableStream(numbers([], 2));
    for (const name of ["a", "b", "c"]) {
      nursery.startSoon(function* () {
        const result = yield* source.next();
        log.push(`${name} ${result.done ? "end" : result.value}`);
      }());
    }
  }));
  assertEquals(log, ["a 1", "b 2", "c end"]);
});

Deno.test("close() wakes those who wait, with ClosedResourceError, and cancels the stream", async () => {
  const log: string[] = [];
  await run(Nursery.open(function* (nursery) {
    const source = fromReadableStream(numbers(log, 3));
    nursery.startSoon(function* () {
      log.push(`${yield* caught(source.next())}`);
    }());
    yield* checkpoint();
    source.close();
    source.close();
    log.push("closed");
    yield* sleep(0.01);
    log.push(`${yield* caught(source.next())}`);
  }));
  assertEquals(log, ["cancel", "closed", "ClosedResourceError", "ClosedResourceError"]);
});

Deno.test("a stream that fails gives its error to each who asks", async () => {
  const stream = new ReadableStream<number>({
    pull() {
      throw new RangeError("broken");
    },
  });
  await run(function* () {
    const source = fromReadableStream(stream);
    assertEquals(yield* caught(source.next()), "RangeError");
    assertEquals(yield* caught(source.next()), "RangeError");
    source.close();
  }());
});

Deno.test("fromReadableStream says what it wants", () => {
  assertThrows(
    () => fromReadableStream({} as ReadableStream),
    TypeError,
    "Expected a ReadableStream, got",
  );
  const stream = numbers([], 1);
  const source = fromReadableStream(stream);
  assertThrows(() => fromReadableStream(stream), TypeError);
  source.close();
});

class LoggingTarget extends EventTarget {
  listeners = 0;
  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.listeners++;
    super.addEventListener(...args);
  }
  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }
}

Deno.test("fromEvent misses no event, whoever is busy", async () => {
  const target = new LoggingTarget();
  const events = fromEvent<CustomEvent<number>>(target, "tick");
  let count = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 2; i++) target.dispatchEvent(new CustomEvent("tick", { detail: count++ }));
  }, 1);
  const seen: number[] = [];
  await run(events.forEach(function* ({ detail }) {
    seen.push(detail);
    if (detail === 7) return false;
    yield* sleep(0.002);
  }));
  clearInterval(timer);
  assertEquals(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(target.listeners, 0);
});

Deno.test("fromEvent stops listening where the loop is left: by an error, by a cancel, by close", async () => {
  const target = new LoggingTarget();
  target.addEventListener = target.addEventListener.bind(target);
  const failing = fromEvent(target, "x");
  target.dispatchEvent(new Event("x"));
  await assertRejects(() =>
    run(failing.forEach(() => {
      throw new RangeError("boom");
    }))
  );
  assertEquals(target.listeners, 0);
  await run(moveOnAfter(0.001, fromEvent(target, "x").forEach(() => {})));
  assertEquals(target.listeners, 0);
  {
    using _ = fromEvent(target, "x");
    assertEquals(target.listeners, 1);
  }
  assertEquals(target.listeners, 0);
  assertThrows(
    () => fromEvent({} as EventTarget, "x"),
    TypeError,
    "Expected an EventTarget, or an emitter with on() and off(), got",
  );
});
