/** Bugs of plain variables: what was read is not true any more after a wait. */
import { checkpoint, type Coroutine, Event, Lock, sleep } from "../../../mod.ts";
import { type Bug, must, pause, together } from "./bug.ts";

/** Seats are counted, the bank is asked, and then a seat is taken that may be gone. */
const checkThenAct: Bug = {
  name: "check, wait, act",
  program: (correct) => () => {
    const lock = new Lock();
    let seats = 1;
    let sold = 0;
    function* act(): Coroutine {
      if (seats === 0) return;
      yield* checkpoint();
      seats--;
      sold++;
    }
    function* buy(delay: number): Coroutine {
      yield* pause(delay);
      yield* correct ? lock.with(act) : act();
    }
    return {
      main: together(buy(0), buy(4), buy(8)),
      check: () => must(sold === 1, `sold ${sold} of 1 seat`),
    };
  },
};

/** Money leaves one account, and arrives in the other one a moment later. */
const tornUpdate: Bug = {
  name: "torn two-step update",
  program: (correct) => () => {
    const lock = new Lock();
    const accounts = [100, 0];
    let seen = 100;
    function* guarded(body: () => Coroutine): Coroutine {
      yield* correct ? lock.with(body) : body();
    }
    function* transfer(delay: number): Coroutine {
      yield* pause(delay);
      yield* guarded(function* () {
        accounts[0] -= 10;
        yield* checkpoint();
        accounts[1] += 10;
      });
    }
    function* audit(): Coroutine {
      yield* pause(12);
      yield* guarded(function* () {
        seen = accounts[0] + accounts[1];
        yield* checkpoint();
      });
    }
    return {
      main: together(transfer(0), transfer(2), audit()),
      check: () => must(seen === 100, `the sum was ${seen}`),
    };
  },
};

/** Two paths close: the end of the work, and a timeout. */
const doubleClose: Bug = {
  name: "double close",
  program: (correct) => () => {
    let isOpen = true;
    let closes = 0;
    function* close(): Coroutine {
      if (!isOpen) return;
      if (correct) isOpen = false;
      yield* checkpoint(); // flushes
      isOpen = false;
      closes++;
    }
    function* reader(): Coroutine {
      yield* pause(6);
      yield* close();
    }
    function* timeout(): Coroutine {
      yield* sleep(1);
      yield* close();
    }
    return {
      main: together(reader(), timeout()),
      check: () => must(closes === 1, `closed ${closes} times`),
    };
  },
};

/** A connection is looked at by its name, which a new one may have got meanwhile. */
const aba: Bug = {
  name: "ABA in a pool",
  program: (correct) => () => {
    let slot = { generation: 1, session: "alice" };
    let wrong = 0;
    function* worker(): Coroutine {
      const mine = slot;
      const { session } = mine;
      yield* pause(3);
      const same = correct ? slot === mine : slot.session === session;
      if (same && slot !== mine) wrong++; // writes into a session that is not its own
    }
    function* recycle(): Coroutine {
      yield* pause(4);
      slot = { generation: 2, session: "bob" };
      yield* checkpoint();
      slot = { generation: 3, session: "alice" };
    }
    return {
      main: together(worker(), recycle()),
      check: () => must(wrong === 0, "wrote into a session of another generation"),
    };
  },
};

/** The first to notice a broken connection makes a new one; so does the second. */
const reconnectRace: Bug = {
  name: "reconnect race",
  program: (correct) => () => {
    let connection: { broken: boolean } | null = { broken: true };
    let connects = 0;
    let connecting: Event | null = null;
    function* connect(): Coroutine {
      if (correct && connecting !== null) return yield* connecting.wait();
      const done = connecting = new Event();
      yield* pause(2);
      connects++;
      connection = { broken: false };
      done.set();
    }
    function* request(delay: number): Coroutine {
      yield* pause(delay);
      if (connection === null || connection.broken) yield* connect();
    }
    return {
      main: together(request(0), request(5)),
      check: () => must(connects === 1, `connected ${connects} times`),
    };
  },
};

/** What is missing from the cache is fetched, by everybody who misses it. */
const cacheStampede: Bug = {
  name: "cache stampede",
  program: (correct) => () => {
    const cache = new Map<string, Event>();
    let fetches = 0;
    function* get(key: string, delay: number): Coroutine {
      yield* pause(delay);
      const known = cache.get(key);
      if (known !== undefined) return yield* known.wait();
      const ready = new Event();
      if (correct) cache.set(key, ready);
      yield* pause(2);
      fetches++;
      cache.set(key, ready);
      ready.set();
    }
    return {
      main: together(get("a", 0), get("a", 4), get("a", 8)),
      check: () => must(fetches === 1, `fetched ${fetches} times`),
    };
  },
};

export const stateBugs: readonly Bug[] = [
  ...[checkThenAct, tornUpdate, doubleClose, aba, reconnectRace, cacheStampede],
];
