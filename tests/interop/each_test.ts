import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CancelScope,
  type Coroutine,
  each,
  ensure,
  Loop,
  type Operation,
  sleep,
} from "../../mod.ts";

/**
 * An async iterable of 1 to `count` that logs how it is closed; it never gives `stuckAt`, and calls
 * back soon after.
 */
function source(
  log: string[],
  count: number,
  stuckAt = Infinity,
  stuck = () => {},
): AsyncIterable<number> {
  let last = 0;
  return {
    [Symbol.asyncIterator]: () => ({
      next(): Promise<IteratorResult<number>> {
        if (last + 1 === stuckAt) {
          queueMicrotask(stuck);
          return new Promise(() => {});
        }
        if (last === count) return Promise.resolve({ done: true, value: undefined });
        return Promise.resolve({ done: false, value: ++last });
      },
      return() {
        log.push("return");
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
}

const run = <T>(main: Operation<T>): Promise<T> => new Loop().run(main);

Deno.test("each runs the body for every value, one after the other, and does not close what has ended", async () => {
  const log: string[] = [];
  await run(each(source(log, 3), function* (value) {
    log.push(`begin ${value}`);
    yield* sleep(0.001);
    log.push(`end ${value}`);
  }));
  assertEquals(log, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
});

Deno.test("each closes the source where the body returns false", async () => {
  const log: string[] = [];
  await run(each(source(log, 3), (value) => {
    log.push(`${value}`);
    return value === 2 ? false : undefined;
  }));
  assertEquals(log, ["1", "2", "return"]);
});

Deno.test("each closes the source where the body throws, and the error comes out", async () => {
  const log: string[] = [];
  await run(function* () {
    try {
      yield* each(source(log, 3), () => {
        throw new RangeError("boom");
      });
    } catch (error) {
      log.push(`${error}`);
    }
  }());
  assertEquals(log, ["return", "RangeError: boom"]);
});

Deno.test("R21: each closes the source where the body is cancelled, and waits for that, shielded", async () => {
  const log: string[] = [];
  async function* generator() {
    try {
      yield 1;
      yield 2;
    } finally {
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push("closed");
    }
  }
  await run(CancelScope.open(function* (scope) {
    try {
      yield* each(generator(), function* (value) {
        log.push(`${value}`);
        scope.cancel();
        yield* sleep(60);
      });
    } finally {
      log.push("left");
    }
  }));
  assertEquals(log, ["1", "closed", "left"]);
});

Deno.test("R33: cancelled while the source makes a value, each tells it to end and does not wait", async () => {
  const log: string[] = [];
  await run(
    CancelScope.open((scope) =>
      each(source(log, 5, 2, () => scope.cancel()), (value) => void log.push(`${value}`))
    ),
  );
  assertEquals(log, ["1", "return"]);

  // An async generator that hangs would make `return()` hang too.
  async function* hanging() {
    yield 1;
    await new Promise(() => {});
  }
  await run(
    CancelScope.open((scope) => each(hanging(), () => queueMicrotask(() => scope.cancel()))),
  );
});

Deno.test("R34: a source that takes a signal sees it abort on a cancel, and at the end", async () => {
  const signals: AbortSignal[] = [];
  async function* ticking(signal: AbortSignal) {
    signals.push(signal);
    while (!signal.aborted) {
      yield 1;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 60_000);
        signal.onabort = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  await run(CancelScope.open((scope) => each(ticking, () => queueMicrotask(() => scope.cancel()))));
  assertEquals(signals[0].aborted, true);
  await run(each(ticking, () => false));
  assertEquals(signals[1].aborted, true);
});

Deno.test("each gives what the source throws, and does not close a source that failed", async () => {
  const log: string[] = [];
  async function* failing() {
    try {
      yield 1;
      await Promise.resolve();
      throw new RangeError("source");
    } finally {
      log.push("finally");
    }
  }
  await assertRejects(() => run(each(failing(), (value) => void log.push(`${value}`))));
  assertEquals(log, ["1", "finally"]);
});

Deno.test("R21: where body and return() both fail, both are reported", async () => {
  const iterable = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false as const, value: 1 }),
      return: () => Promise.reject(new RangeError("close")),
    }),
  };
  await run(function* () {
    try {
      yield* each(iterable, () => {
        throw new RangeError("body");
      });
    } catch (error) {
      const { errors } = error as AggregateError;
      assertEquals(errors.map((each) => (each as Error).message), ["body", "close"]);
    }
  }());
});

Deno.test("each cleans up with the surrounding scope: what the caller registered runs later", async () => {
  const log: string[] = [];
  await run(CancelScope.open(function* (): Coroutine {
    yield* ensure(() => void log.push("outer"));
    yield* each(source(log, 3), () => false);
    log.push("after");
  }));
  assertEquals(log, ["return", "after", "outer"]);
});

Deno.test("R2: each says what it wants", async () => {
  const noIterable = [1, 2] as unknown as AsyncIterable<number>;
  assertThrows(() => each(noIterable, () => {}), TypeError, "Expected an async iterable, or a");
  await assertRejects(
    () => run(each(() => noIterable, () => {})),
    Error,
    "Expected an async iterable, or a function",
  );
  assertThrows(
    () => each(source([], 1), 1 as unknown as () => void),
    TypeError,
    "Expected a function that takes a value, got 1 (body of each())",
  );
  await assertRejects(
    // deno-lint-ignore broomio/no-async-body -- what is refused is tested here
    () => run(each(source([], 1), (async () => {}) as unknown as () => void)),
    Error,
    "make it a function*",
  );
});
