/** Rule R34: the surrounding scope as an AbortSignal. */
import { assert, assertEquals } from "@std/assert";
import {
  abortSignal,
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
  sleepForever,
  until,
} from "../../mod.ts";
import { inEveryOrder } from "../support/world.ts";

inEveryOrder(
  "R34: the signal aborts when the surrounding scope is cancelled, with the Cancelled as its reason",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (scope) {
      const signal = yield* abortSignal();
      assert(!signal.aborted);
      signal.onabort = () => log.push("aborted");
      yield* sleep(1);
      scope.cancel("why");
      log.push("cancelled");
      assert(signal.reason instanceof Cancelled);
      assertEquals(signal.reason.reason, "why");
      yield* sleepForever();
    }));
    assertEquals(log, ["aborted", "cancelled"]);
  },
);

inEveryOrder(
  "R34: the signal aborts when the scope is left, with an AbortError, and not before",
  async ({ loop }) => {
    await loop.run(function* (): Coroutine {
      let signal!: AbortSignal;
      yield* CancelScope.open(function* () {
        signal = yield* abortSignal();
        yield* sleep(1);
        assert(!signal.aborted);
      });
      assert(signal.aborted);
      assertEquals(signal.reason.name, "AbortError");
    }());
  },
);

inEveryOrder(
  "R34: in a nursery, a task or a time limit, that is the surrounding scope",
  async ({ loop, log }) => {
    function* watch(name: string): Coroutine {
      (yield* abortSignal()).onabort = () => log.push(`${loop.now} ${name}`);
    }
    await loop.run(function* (): Coroutine {
      yield* watch("task");
      yield* Nursery.open(function* (nursery) {
        yield* watch("nursery");
        nursery.startSoon(function* (): Coroutine {
          yield* watch("child");
          yield* sleep(1);
        }());
        yield* sleep(2);
      });
      yield* moveOnAfter(1, function* () {
        yield* watch("limit");
        yield* sleepForever();
      });
      yield* sleep(1);
    }());
    assertEquals(log, ["1 child", "2 nursery", "3 limit", "4 task"]);
  },
);

inEveryOrder(
  "R34: a cancel from further out aborts it too, unless it is shielded off",
  async ({ loop, log }) => {
    await loop.run(moveOnAfter(1, function* () {
      yield* CancelScope.open(function* () {
        (yield* abortSignal()).onabort = () => log.push(`${loop.now} inner`);
        yield* shield(function* () {
          (yield* abortSignal()).onabort = () => log.push(`${loop.now} shielded`);
          yield* sleep(3);
        });
      });
    }));
    assertEquals(log, ["1 inner", "3 shielded"]);
  },
);

inEveryOrder(
  "R34: asked for in a cancelled scope, it is aborted already, with the same reason",
  async ({ loop }) => {
    await loop.run(CancelScope.open(function* (scope) {
      scope.cancel("why");
      const signal = yield* abortSignal();
      assert(signal.aborted && signal.reason instanceof Cancelled);
      assertEquals(signal.reason.reason, "why");
    }));
  },
);

inEveryOrder(
  "R34: unsetting a shield under a cancelled parent aborts the signals in it",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (outer) {
      outer.cancel();
      yield* CancelScope.open(function* (scope) {
        (yield* abortSignal()).onabort = () => log.push("aborted");
        scope.shield = false;
        log.push("unset");
      }, { shield: true });
    }));
    assertEquals(log, ["aborted", "unset"]);
  },
);

inEveryOrder("R34: a listener that cancels more is safe", async ({ loop, log }) => {
  await loop.run(Nursery.open(function* (nursery) {
    yield* moveOnAfter(1, function* () {
      (yield* abortSignal()).onabort = () => nursery.cancel("from a listener");
      yield* sleepForever();
    });
    yield* sleep(1);
    log.push("not here");
  }));
  assertEquals(log, []);
});

inEveryOrder(
  "R33: what rejects because of the signal does not hide the cancel",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      yield* CancelScope.open(function* (scope) {
        const signal = yield* abortSignal();
        loop.startSoon(function* (): Coroutine {
          yield* checkpoint();
          scope.cancel();
        }());
        yield* until(new Promise((_, reject) => signal.onabort = () => reject(signal.reason)));
        log.push("not here");
      });
      yield* sleep(1);
      log.push(`${loop.now}`);
    }());
    assertEquals(log, ["1"]);
  },
);

inEveryOrder(
  "R34: a scope has one signal, however often it is asked, and another once a shield took back the cancel",
  async ({ loop }) => {
    await loop.run(moveOnAfter(1, function* () {
      yield* CancelScope.open(function* (scope) {
        const signal = yield* abortSignal();
        assert(signal === (yield* abortSignal()));
        try {
          yield* sleepForever();
        } catch {
          assert(signal.aborted && signal === (yield* abortSignal()));
        }
        scope.shield = true;
        const fresh = yield* abortSignal();
        assert(!fresh.aborted && fresh === (yield* abortSignal()));
        scope.shield = false;
        assert(fresh.aborted);
      });
    }));
  },
);
