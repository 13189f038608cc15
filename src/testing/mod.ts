/**
 * Tools for tests of programs that use `@broomio/core`.
 *
 * **Time.** With a {@linkcode VirtualClock} a loop's sleeps and time limits take no time, and
 * happen in exact order. Time stands still while any task can run, and jumps to the next deadline
 * when none can. While something outside the loop is awaited it does not jump (with `autojump:
 * "always"` it does); with `autojump: false` only `clock.advance(seconds)` moves it.
 *
 * ```ts
 * import { Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 *
 * const loop = new Loop({ host: new VirtualClock(), executionOrder: "random", seed: 7 });
 * await loop.run(sleep({ days: 1 })); // at once
 * console.log(loop.now); // 86400
 * ```
 *
 * `executionOrder` `"lifo"` or `"random"` finds hidden assumptions about which task runs first. A
 * failure names the seed. {@linkcode coroutineTest} makes loop and clock for one test, in any
 * runner, and names what the test leaves behind.
 *
 * **Streams.** {@linkcode memoryStreamPair}, {@linkcode MemoryListener} and {@linkcode
 * memoryNetwork} are sockets without a network: the classes of `@broomio/core/net` over memory.
 *
 * **Races.** {@linkcode explore} runs a program under many schedules and shows the first that
 * fails: who ran when, where each task stopped, and a call of {@linkcode replay} to paste. From a
 * test that fails now and then to a line that fails each time:
 *
 * 1. Put what the test does into a function that makes everything anew, and what must hold into
 *   `check`.
 * 2. `await explore(program)`. What fails is shrunk to the fewest preemptions, so the table has
 *   little else in it.
 * 3. Paste `replay(program, "...")`, and look at it with a debugger, or keep it as a test.
 * 4. Mend the program. `explore` says how many schedules it has tried, and whether those were all
 *   there are.
 *
 * A schedule decides which task goes on at each wait, and when deadlines pass. What a plain
 * variable holds after a `yield*` is the program's own business: that is where races are. While
 * schedules run, `Math.random`, `Date` and `performance.now` are part of them. With `cancel` the
 * program, or each of its tasks, is also cancelled at each wait. A program that awaits something
 * outside (`until`, real I/O) is explored too, far more slowly, and what comes from there is seen
 * only when nothing else is ready. What is no part of the schedule is found and called by its name:
 * {@linkcode NondeterminismError}.
 *
 * @example
 * ```ts
 * import { checkpoint, Lock, Nursery } from "jsr:@broomio/core";
 * import { explore } from "jsr:@broomio/core/testing";
 *
 * await explore(() => {
 *   const lock = new Lock();
 *   const users: string[] = [];
 *   function* signUp(name: string) {
 *     if (users.includes(name)) return;
 *     yield* checkpoint(); // asks the database
 *     users.push(name);
 *   }
 *   return {
 *     main: Nursery.open(function* (nursery) {
 *       nursery.startSoon(lock.with(signUp("ann"))); // without the lock, it fails
 *       nursery.startSoon(lock.with(signUp("ann")));
 *     }),
 *     check() {
 *       if (users.length !== 1) throw new Error(`${users.length} users are called ann`);
 *     },
 *   };
 * });
 * ```
 *
 * @module
 */
export { type HeldLock, inspect, type LoopInspection, type TaskInspection } from "./inspect.ts";
export { MemoryListener } from "./memory_listener.ts";
export { memoryNetwork } from "./memory_network.ts";
export { type MemoryStream, type MemoryStreamOptions, memoryStreamPair } from "./memory_stream.ts";
export {
  coroutineTest,
  type CoroutineTestOptions,
  type TestClock,
  type TestContext,
} from "./coroutine_test.ts";
export { Sequencer } from "./sequencer.ts";
export { waitAllBlocked } from "./wait_all_blocked.ts";
export { VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
export { type Exploration, ExplorationError } from "./explore/exploration.ts";
export { NeverReachedError, NondeterminismError } from "./explore/exploration.ts";
export { explore, replay } from "./explore/explore.ts";
export { LeakError, OutsideError, StepLimitError } from "./explore/failure.ts";
export type { CancelMode } from "./explore/cancel_sweep.ts";
export type { ExploreOptions, StrategyName } from "./explore/options.ts";
export type { CheckedProgram, Program, ProgramEnd } from "./explore/program.ts";
export { sometimes } from "./explore/sometimes.ts";
