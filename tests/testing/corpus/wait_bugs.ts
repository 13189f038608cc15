/** Bugs of waiting: wake-ups that are lost, deadlocks, starvation, the wrong one woken. */
import {
  checkpoint,
  type Coroutine,
  Event,
  Lock,
  openChannel,
  ParkingLot,
  sleep,
} from "../../../mod.ts";
import { type Bug, must, pause, together } from "./bug.ts";

/** Looks, waits, and only then parks: the wake-up comes in between. */
const lostWakeUp: Bug = {
  name: "lost wake-up",
  program: (correct) => () => {
    const lot = new ParkingLot();
    let ready = false;
    function* consumer(): Coroutine {
      if (correct) {
        while (!ready) yield* lot.park();
      } else if (!ready) {
        yield* checkpoint();
        yield* lot.park();
      }
    }
    function* producer(): Coroutine {
      yield* pause(3);
      ready = true;
      lot.unparkAll();
    }
    return together(consumer(), producer());
  },
};

/** Three locks in a ring. */
const lockOrder: Bug = {
  name: "lock-order deadlock",
  program: (correct) => () => {
    const locks = [new Lock({ name: "a" }), new Lock({ name: "b" }), new Lock({ name: "c" })];
    function* user(first: number, second: number, delay: number): Coroutine {
      yield* pause(delay);
      const order = correct ? [first, second].sort() : [first, second];
      yield* locks[order[0]].with(function* () {
        yield* checkpoint();
        yield* locks[order[1]].with(checkpoint());
      });
    }
    return together(user(0, 1, 0), user(1, 2, 3), user(2, 0, 7));
  },
};

/** Readers that come one after the other keep the writer out for ever. */
const readerWriterStarvation: Bug = {
  name: "reader-writer starvation",
  program: (correct) => () => {
    const lot = new ParkingLot();
    let readers = 0;
    let isWaiting = false;
    let overtaken = 0;
    function* reader(): Coroutine {
      for (let i = 0; i < 6; i++) {
        while (correct && isWaiting) yield* lot.park();
        if (isWaiting) overtaken++;
        readers++;
        yield* checkpoint();
        readers--;
        lot.unparkAll();
      }
    }
    function* writer(): Coroutine {
      yield* pause(2);
      isWaiting = true;
      while (readers > 0) yield* lot.park();
      isWaiting = false;
      lot.unparkAll();
    }
    return {
      main: together(reader(), reader(), writer()),
      check: () => must(overtaken < 3, `${overtaken} readers overtook the writer`),
    };
  },
};

/** The flag is looked at, and then the wait for work begins, in which nobody will wake it. */
const missedShutdown: Bug = {
  name: "missed shutdown",
  program: (correct) => () => {
    const { sender, receiver } = openChannel<number>(4);
    const stop = new Event();
    let running = true;
    let idle = false;
    function* server(): Coroutine {
      if (correct) {
        yield* receiver.forEach(() => checkpoint());
        return;
      }
      while (running) {
        if (receiver.tryReceive() !== undefined) {
          yield* checkpoint();
          continue;
        }
        yield* checkpoint();
        idle = true;
        yield* stop.wait();
        return;
      }
    }
    function* boss(): Coroutine {
      for (let i = 0; i < 3; i++) {
        sender.trySend(i);
        yield* checkpoint();
      }
      yield* pause(4);
      running = false;
      if (correct) sender.close();
      else if (idle) stop.set();
    }
    return together(server(), boss());
  },
};

/** A semaphore that wakes whoever came last. */
const wrongWaiter: Bug = {
  name: "semaphore that wakes the wrong waiter",
  program: (correct) => () => {
    let permits = 1;
    const waiters: Event[] = [];
    const arrived: number[] = [];
    const served: number[] = [];
    function* acquire(id: number): Coroutine {
      arrived.push(id);
      if (permits > 0) {
        permits--;
      } else {
        const event = new Event();
        waiters.push(event);
        yield* event.wait();
      }
      served.push(id);
    }
    function release(): void {
      const waiter = correct ? waiters.shift() : waiters.pop();
      if (waiter === undefined) permits++;
      else waiter.set();
    }
    function* user(id: number): Coroutine {
      yield* pause(id);
      yield* acquire(id);
      yield* checkpoint();
      release();
    }
    return {
      main: together(user(0), user(1), user(2)),
      check: () => must(`${served}` === `${arrived}`, `${arrived} came, ${served} were served`),
    };
  },
};

/** Everybody who fails tries again at once, and so does everybody else. */
const retryStorm: Bug = {
  name: "retry storm",
  program: (correct) => () => {
    const free = new ParkingLot();
    let busy = false;
    let tries = 0;
    function* request(): Coroutine {
      for (;;) {
        tries++;
        if (!busy) break;
        yield* correct ? free.park() : checkpoint();
      }
      busy = true;
      yield* sleep(1); // the server answers
      busy = false;
      free.unpark();
    }
    return {
      main: together(request(), request(), request()),
      check: () => must(tries <= 10, `${tries} tries for 3 requests`),
    };
  },
  options: { maxSteps: 2000 },
};

/** One asks whether there are subscribers, and subscribes behind what was published. */
const subscriptionRace: Bug = {
  name: "subscription race",
  program: (correct) => () => {
    const { sender, receiver } = openChannel<string>(1);
    let subscribed = false;
    let current = "old";
    let got = "";
    function* subscriber(): Coroutine {
      if (correct) {
        subscribed = true;
        got = current;
      } else {
        got = current; // the snapshot
        yield* checkpoint();
        subscribed = true; // and from here on the changes
      }
      const change = receiver.tryReceive();
      if (change !== undefined) got = change;
    }
    function* publisher(): Coroutine {
      yield* pause(3);
      current = "new";
      if (subscribed) {
        sender.trySend(current);
        got = current;
      }
    }
    return {
      main: together(subscriber(), publisher()),
      check: () => must(got === "new" || !subscribed || got === current, `still sees "${got}"`),
    };
  },
};

export const waitBugs: readonly Bug[] = [
  ...[lostWakeUp, lockOrder, readerWriterStarvation, missedShutdown, wrongWaiter, retryStorm],
  subscriptionRace,
];
