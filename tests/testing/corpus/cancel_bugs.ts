/** Bugs of cancelling: what is lost, leaked or left waiting when a task is told to stop. */
import {
  Cancelled,
  checkpoint,
  type Coroutine,
  Event,
  moveOnAfter,
  Nursery,
  openChannel,
  Semaphore,
  shield,
  sleep,
} from "../../../mod.ts";
import { type Bug, must, pause, together } from "./bug.ts";

/** A value is handed to a waiter that a deadline has just taken away. */
const receiveLoss: Bug = {
  name: "cancelled-receive loss",
  program: (correct) => () => {
    const sent = 5;
    const got: number[] = [];
    const { sender, receiver } = openChannel<number>(Infinity);
    const values: number[] = [];
    const waiters: { value: number | undefined; event: Event }[] = [];
    function put(value: number): void {
      const waiter = waiters.shift();
      if (waiter === undefined) values.push(value);
      else {
        waiter.value = value;
        waiter.event.set();
      }
    }
    function* take(): Coroutine<number> {
      if (values.length > 0) {
        yield* checkpoint();
        return values.shift()!;
      }
      const waiter = { value: undefined as number | undefined, event: new Event() };
      waiters.push(waiter);
      yield* waiter.event.wait();
      return waiter.value!;
    }
    function* consumer(): Coroutine {
      for (let tries = 0; got.length < sent && tries < 12; tries++) {
        const value = yield* moveOnAfter(1.5, correct ? receiver.receive() : take());
        if (value !== undefined) got.push(value);
      }
    }
    function* producer(): Coroutine {
      for (let i = 1; i <= sent; i++) {
        if (correct) sender.trySend(i);
        else put(i);
        yield* sleep(1);
      }
    }
    return {
      main: together(consumer(), producer()),
      check() {
        const left = correct ? receiver.statistics().buffered : values.length;
        must(got.length + left === sent, `${sent - got.length - left} of ${sent} values lost`);
      },
    };
  },
};

/** The permit is given back behind the work, and not in a finally. */
const semaphoreLeak: Bug = {
  name: "semaphore leak on cancel",
  program: (correct) => () => {
    const semaphore = new Semaphore(2);
    function* work(): Coroutine {
      yield* pause(2);
    }
    function* job(): Coroutine {
      if (correct) return yield* semaphore.with(work());
      yield* semaphore.acquire();
      yield* work();
      semaphore.release();
    }
    return {
      main: together(job(), job(), job()),
      check: () => must(semaphore.statistics().value === 2, "a permit is gone"),
    };
  },
  options: { cancel: "main" },
};

/** A limiter grants as many as the new total leaves, and forgets those in between. */
const overGrant: Bug = {
  name: "limiter over-grants when its total changes",
  program: (correct) => () => {
    const changed = new Event();
    let total = 3;
    let running = 0;
    let most = 0;
    function* job(): Coroutine {
      for (;;) {
        if (running < total) {
          if (correct) break;
          yield* checkpoint(); // writes a log line
          break;
        }
        yield* checkpoint();
      }
      running++;
      if (changed.isSet) most = Math.max(most, running);
      yield* pause(2);
      running--;
    }
    function* operator(): Coroutine {
      yield* pause(1);
      if (running > 1) return;
      total = 1;
      changed.set();
    }
    return {
      main: together(job(), operator(), job(), job()),
      check: () => must(most <= 1 || !changed.isSet, `${most} run, where 1 may`),
    };
  },
};

/** A waiter that was cancelled stays in the queue, and is handed what it will never use. */
const cancelledWaiterStays: Bug = {
  name: "cancelled waiter left in the queue",
  program: (correct) => () => {
    let isFree = false;
    const waiters: Event[] = [];
    let served = 0;
    function* acquire(): Coroutine {
      if (isFree) {
        isFree = false;
        return;
      }
      const event = new Event();
      waiters.push(event);
      try {
        yield* event.wait();
      } catch (error) {
        const place = waiters.indexOf(event);
        if (correct && place >= 0) waiters.splice(place, 1);
        else if (correct) release(); // it was handed over in the very moment of the cancel
        throw error;
      }
    }
    function release(): void {
      const waiter = waiters.shift();
      if (waiter === undefined) isFree = true;
      else waiter.set();
    }
    function* impatient(): Coroutine {
      yield* moveOnAfter(1, function* () {
        yield* acquire();
        release();
      });
    }
    function* patient(): Coroutine {
      yield* pause(1);
      yield* acquire();
      served++;
      release();
    }
    function* owner(): Coroutine {
      yield* sleep(2);
      release();
    }
    return {
      main: together(impatient(), patient(), owner()),
      check: () => must(served === 1, "never served"),
    };
  },
};

/** A queue of one worker: an abort of the job that runs leaves the queue waiting for its end. */
const abortHangsQueue: Bug = {
  name: "abort that hangs a queue",
  program: (correct) => () => {
    const { sender, receiver } = openChannel<Event>(4);
    const done = new Event();
    function* worker(): Coroutine {
      yield* receiver.forEach(function* (finished: Event): Coroutine {
        const body = function* () {
          yield* pause(2);
          finished.set();
        };
        if (!correct) return void (yield* moveOnAfter(1, body));
        try {
          yield* moveOnAfter(1, body);
        } finally {
          finished.set();
        }
      });
    }
    function* client(): Coroutine {
      for (let i = 0; i < 2; i++) {
        const finished = new Event();
        yield* sender.send(finished);
        yield* finished.wait();
      }
      sender.close();
      done.set();
    }
    return { main: together(worker(), client()), check: () => must(done.isSet, "not done") };
  },
};

/** Whoever clears the queue forgets those who wait for its jobs. */
const neverSettle: Bug = {
  name: "jobs that never settle",
  program: (correct) => () => {
    let queue: Event[] = [];
    let isOpen = true;
    function* add(): Coroutine {
      if (!isOpen) return;
      const settled = new Event();
      queue.push(settled);
      yield* settled.wait();
    }
    function* worker(): Coroutine {
      while (isOpen) {
        yield* checkpoint();
        queue.shift()?.set();
      }
    }
    function* close(): Coroutine {
      yield* pause(6);
      isOpen = false;
      if (correct) { for (const settled of queue) settled.set(); }
      queue = [];
    }
    return together(add(), add(), worker(), close());
  },
};

/** A process is started; the one who wants it is told to stop before it has hold of it. */
const orphan: Bug = {
  name: "process orphaned by a halt while starting",
  program: (correct) => () => {
    let alive = 0;
    function* start(): Coroutine<number> {
      alive++;
      if (!correct) {
        yield* checkpoint(); // until it says that it runs
        return 1;
      }
      try {
        yield* checkpoint();
        return 1;
      } catch (error) {
        alive--;
        throw error;
      }
    }
    function* main(): Coroutine {
      yield* start();
      try {
        yield* pause(2);
      } finally {
        alive--;
      }
    }
    return { main: main(), check: () => must(alive === 0, `${alive} processes left`) };
  },
  options: { cancel: "main" },
};

/** Cleanup that waits is told to stop as well. */
const haltDuringCleanup: Bug = {
  name: "halt during cleanup",
  program: (correct) => () => {
    let flushed = true;
    function* main(): Coroutine {
      flushed = false;
      try {
        yield* pause(3);
      } finally {
        const flush = function* () {
          yield* checkpoint();
          flushed = true;
        };
        // deno-lint-ignore broomio/no-unshielded-cleanup -- one of the bugs
        yield* correct ? shield(flush) : flush();
      }
    }
    return { main: main(), check: () => must(flushed, "not flushed") };
  },
  options: { cancel: "main" },
};

/** A retry that takes its own cancel for a failure. */
const retriesCancel: Bug = {
  name: "retry that swallows a cancel",
  program: (correct) => () => {
    let attempts = 0;
    function* main(): Coroutine {
      for (let i = 0; i < 3; i++) {
        attempts++;
        try {
          yield* pause(2);
          return;
          // deno-lint-ignore broomio/no-swallowed-cancelled -- one of the bugs
        } catch (error) {
          if (correct && error instanceof Cancelled) throw error;
        }
      }
    }
    return {
      main: Nursery.open(main),
      check: () => must(attempts === 1, `${attempts} attempts, though told to stop`),
    };
  },
  options: { cancel: "main" },
};

export const cancelBugs: readonly Bug[] = [
  ...[receiveLoss, semaphoreLeak, overGrant, cancelledWaiterStays, abortHangsQueue, neverSettle],
  ...[orphan, haltDuringCleanup, retriesCancel],
];
