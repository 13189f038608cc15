/** VirtualClock (R8): time that stands still while tasks run, and jumps when none can. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  checkpoint,
  type Coroutine,
  DeadlockError,
  Loop,
  sleep,
  sleepForever,
  suspend,
  until,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";

const later = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

Deno.test("R8: it starts at 0, or where it is told to, and jumps exactly to each deadline", async () => {
  const loop = new Loop({ host: new VirtualClock({ start: 100 }) });
  const times: number[] = [];
  await loop.run(function* (): Coroutine {
    for (const seconds of [0.1, 3600, 86400 * 365]) {
      yield* sleep(seconds);
      times.push(loop.now);
    }
  }());
  assertEquals(times, [100.1, 3700.1, 3700.1 + 86400 * 365]);
  for (const start of [NaN, Infinity]) assertThrows(() => new VirtualClock({ start }), RangeError);
});

Deno.test("R8: time stands still while any task is ready", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  loop.startSoon(sleep(1));
  await loop.run(function* (): Coroutine {
    for (let i = 0; i < 10_000; i++) yield* checkpoint();
    assertEquals(loop.now, 0);
  }());
  assertEquals(loop.now, 1);
});

Deno.test("R8: a year of virtual time takes no real time", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  const start = performance.now();
  await loop.run(function* (): Coroutine {
    for (let day = 0; day < 365; day++) yield* sleep({ days: 1 });
  }());
  assertEquals(loop.now, 365 * 86400);
  assert(performance.now() - start < 5000);
});

Deno.test("R8: while something external is awaited it does not jump, unless told to", async () => {
  for (
    const [autojump, expected] of [[true, ["outside 0", "slept 9"]], ["always", [
      "slept 9",
      "outside 9",
    ]]] as const
  ) {
    const loop = new Loop({ host: new VirtualClock({ autojump }) });
    const log: string[] = [];
    loop.startSoon(function* (): Coroutine {
      yield* until(later(3));
      log.push(`outside ${loop.now}`);
    }());
    loop.startSoon(function* (): Coroutine {
      yield* sleep(9);
      log.push(`slept ${loop.now}`);
    }());
    await loop.run();
    assertEquals(log, [...expected]);
  }
});

Deno.test("R8: with autojump off only advance moves it, past several deadlines or none", async () => {
  const clock = new VirtualClock({ autojump: false });
  const loop = new Loop({ host: clock });
  const log: string[] = [];
  for (const seconds of [1, 2, 5]) {
    loop.startSoon(function* (): Coroutine {
      yield* sleep(seconds);
      log.push(`${seconds} at ${loop.now}`);
    }());
  }
  const running = loop.run();
  await later(2);
  assertEquals(log, []);
  clock.advance(0.5);
  await later(2);
  assertEquals(log, []);
  clock.advance(3);
  await later(2);
  assertEquals(log, ["1 at 3.5", "2 at 3.5"]);
  clock.advance(1.5);
  await running;
  assertEquals(log.at(-1), "5 at 5");
  for (const bad of [NaN, -1, Infinity]) {
    assertThrows(() => clock.advance(bad), RangeError, "Expected a finite number of at least 0");
  }
});

Deno.test("advance moves time also while a loop jumps by itself, and while none runs", async () => {
  const clock = new VirtualClock();
  clock.advance(5);
  const loop = new Loop({ host: clock });
  await loop.run(function* (): Coroutine {
    assertEquals(loop.now, 5);
    clock.advance(1);
    yield* sleep(1);
    assertEquals(loop.now, 7);
  }());
});

Deno.test("loops that share a clock share its time: it jumps when none of them can run", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  function* ticker(name: string, period: number): Coroutine {
    for (let i = 0; i < 3; i++) {
      yield* sleep(period);
      log.push(`${clock.now()} ${name}`);
    }
  }
  await Promise.all([
    new Loop({ host: clock }).run(ticker("a", 2)),
    new Loop({ host: clock }).run(ticker("b", 3)),
  ]);
  assertEquals(log.slice(0, 3), ["2 a", "3 b", "4 a"]);
  assertEquals(log.slice(3, 5).sort(), ["6 a", "6 b"]);
  assertEquals(log[5], "9 b");
});

Deno.test("R7: a deadlock is found in virtual time too, but not while autojump is off and a deadline is pending", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  await assertRejects(() => loop.run(sleepForever()), DeadlockError);
  const clock = new VirtualClock({ autojump: false });
  const patient = new Loop({ host: clock });
  patient.startSoon(sleep(1));
  const running = patient.run();
  await later(2);
  clock.advance(1);
  await running;
});

Deno.test("R35: a task is not woken in the context of who woke it, nor within its call", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  let resume!: () => void;
  let within = false;
  let woken: boolean | undefined;
  loop.startSoon(function* (): Coroutine {
    yield* suspend<void>((r) => void (resume = r));
    woken = within;
  }());
  const running = loop.run();
  await later(1);
  within = true;
  resume();
  within = false;
  await running;
  assertEquals(woken, false);
});

Deno.test("the warnings of a loop without onWarning are printed", async () => {
  const { warn } = console;
  const printed: string[] = [];
  console.warn = (text: string) => printed.push(text);
  try {
    const loop = new Loop({ host: new VirtualClock() });
    await loop.run(function* (): Coroutine {
      loop.cancel();
      try {
        yield* sleep(1);
        // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
      } catch {
        // deno-lint-ignore broomio/no-unshielded-cleanup -- what a cancel does there is tested here
        yield* sleep(1);
      }
    }()).catch(() => {});
  } finally {
    console.warn = warn;
  }
  assertEquals(printed.length, 1);
  assert(printed[0].startsWith("broomio: Task main was cancelled, and waits again"));
});
