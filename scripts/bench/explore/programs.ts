/** The programs whose schedules are counted, for us and, step for step the same, for fast-check's scheduler. */
import type { Scheduler } from "fast-check";
import { checkpoint, type Coroutine, Lock, Nursery, openChannel } from "../../../mod.ts";
import type { Program } from "../../../src/testing/mod.ts";

/** `tasks` tasks that take `steps` steps each. */
export function walkers(tasks: number, steps: number): Program {
  function* walk(): Coroutine {
    for (let i = 0; i < steps; i++) yield* checkpoint();
  }
  return () =>
    Nursery.open(function* (nursery) {
      for (let i = 0; i < tasks; i++) nursery.startSoon(walk());
    });
}

/**
 * The same in promises: each step is a promise that the scheduler settles in an order of its own.
 *
 * `wait` says how: `waitIdle` is what fast-check's documentation says to use; `waitAll` is
 * deprecated, less sure of what it waits for, and two to four times as fast.
 */
export async function promiseWalkers(
  scheduler: Scheduler,
  tasks: number,
  steps: number,
  wait: "waitIdle" | "waitAll",
): Promise<void> {
  async function walk(): Promise<void> {
    for (let i = 0; i < steps; i++) await scheduler.schedule(Promise.resolve());
  }
  const all = Promise.all(Array.from({ length: tasks }, walk));
  await scheduler[wait]();
  await all;
}

/** Tasks that take a lock for each step. */
export function lockers(tasks: number, steps: number): Program {
  return () => {
    const lock = new Lock();
    let count = 0;
    function* work(): Coroutine {
      for (let i = 0; i < steps; i++) {
        yield* lock.acquire();
        count++;
        lock.release();
        yield* checkpoint();
      }
    }
    return {
      main: Nursery.open(function* (nursery) {
        for (let i = 0; i < tasks; i++) nursery.startSoon(work());
      }),
      check() {
        if (count !== tasks * steps) throw new Error(`${count} steps`);
      },
    };
  };
}

/** Tasks that send to one that receives. */
export function senders(tasks: number, steps: number): Program {
  return () => {
    const { sender, receiver } = openChannel<number>(1);
    let got = 0;
    function* send(): Coroutine {
      for (let i = 0; i < steps; i++) yield* sender.send(i);
    }
    return {
      main: Nursery.open(function* (nursery) {
        for (let i = 1; i < tasks; i++) nursery.startSoon(send());
        for (let i = 0; i < (tasks - 1) * steps; i++) {
          yield* receiver.receive();
          got++;
        }
      }),
      check() {
        if (got !== (tasks - 1) * steps) throw new Error(`${got} values`);
      },
    };
  };
}
