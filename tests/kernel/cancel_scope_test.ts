/** Rules R17 to R27: what a cancel does, and the mistakes that real cleanup code makes. */
// deno-lint-ignore-file broomio/no-swallowed-cancelled broomio/no-unshielded-cleanup -- what a cancel does there is tested here
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import {
  abortSignal,
  call,
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  currentTask,
  moveOnAfter,
  Nursery,
  NurseryError,
  type Operation,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  suspend,
  TimeoutError,
  until,
} from "../../mod.ts";
import {
  inEveryOrder,
  leftovers,
  nameOf,
  NOTHING_LEFT,
  rejection,
  World,
} from "../support/world.ts";

// R17

inEveryOrder(
  "R17: in a cancelled scope the first wait throws Cancelled with the reason",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (scope) {
      scope.cancel("enough");
      log.push("still running");
      try {
        yield* sleep(1);
      } catch (error) {
        assert(error instanceof Cancelled);
        assertEquals(error.reason, "enough");
        assertEquals(error.message, "Cancelled by task main: enough");
        assertEquals(error.source, "explicit");
        log.push("cancelled");
        throw error;
      }
    }));
    assertEquals(log, ["still running", "cancelled"]);
    assertEquals(loop.now, 0);
  },
);

inEveryOrder(
  "R17: every kind of wait throws in a cancelled scope, also one that would not have to wait",
  async ({ loop }) => {
    const failed: string[] = [];
    const waits: Record<string, () => Iterable<unknown>> = {
      checkpoint: () => checkpoint(),
      "sleep 0": () => sleep(0),
      "sleepUntil the past": () => sleepUntil(-1),
      sleepForever: () => sleepForever(),
      until: () => until(Promise.resolve()),
      "until a function": () => until(() => Promise.reject(new Error("not called"))),
      suspend: () => suspend((resume) => resume(1)),
      "a nursery with a child": () =>
        Nursery.open(function* (nursery) {
          nursery.startSoon(sleepForever());
        }),
    };
    for (const [name, wait] of Object.entries(waits)) {
      const task = loop.startSoon(function* (): Coroutine {
        yield* CancelScope.open(function* (scope) {
          scope.cancel();
          yield* wait() as Coroutine;
          failed.push(name);
        });
      }());
      await loop.run();
      assertEquals(task.state, "succeeded");
    }
    assertEquals(failed, []);
  },
);

inEveryOrder("R17: a suspend in a cancelled scope is never begun", async ({ loop }) => {
  let begun = false;
  await loop.run(CancelScope.open(function* (scope) {
    scope.cancel();
    yield* suspend(() => {
      begun = true;
    });
  }));
  assert(!begun);
});

inEveryOrder(
  "R17: cancelling is level triggered: it goes on until the scope is left, and no longer",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      yield* CancelScope.open(function* (scope) {
        scope.cancel();
        try {
          yield* sleep(1);
        } finally {
          try {
            yield* sleep(1);
            log.push("slept in a cancelled scope");
          } finally {
            log.push("out");
          }
        }
      });
      yield* sleep(1);
      log.push("slept after it");
    }());
    assertEquals(log, ["out", "slept after it"]);
  },
);

inEveryOrder("R17: an operation that never waits is not cancelled", async ({ loop }) => {
  const value = await loop.run(function* (): Coroutine<string> {
    let value = "";
    yield* CancelScope.open(function* (scope) {
      scope.cancel();
      value = yield* shield(function* (): Coroutine<string> {
        return "made it";
      });
    });
    return value;
  }());
  assertEquals(value, "made it");
});

inEveryOrder(
  "R17: cancelling reaches tasks that wait anywhere below, across tasks and nurseries",
  async (world) => {
    const { loop, log } = world;
    await loop.run(CancelScope.open(function* (scope) {
      yield* Nursery.open(function* (outer) {
        outer.startSoon(world.sleeper("child", 9));
        outer.startSoon(function* (): Coroutine {
          yield* Nursery.open(function* (inner) {
            inner.startSoon(world.sleeper("grandchild", 9));
            yield* CancelScope.open(() => world.sleeper("in a scope", 9));
          });
        }());
        yield* sleep(1);
        scope.cancel();
      });
    }));
    assertEquals(log.sort(), [
      "1 child Cancelled",
      "1 grandchild Cancelled",
      "1 in a scope Cancelled",
    ]);
  },
);

// R18

/**
 * Lets the others run for a while: virtual time stands still while something outside is awaited.
 */
function* pause(): Coroutine {
  for (let i = 0; i < 5; i++) yield* checkpoint();
}

inEveryOrder(
  "R18: a wait that was settled before the cancel delivers its value; the cancel lands at the next",
  async ({ loop, log }) => {
    let resume!: (value: string) => void;
    await loop.run(CancelScope.open(function* (scope) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(function* (): Coroutine {
          log.push(yield* suspend<string>((r) => void (resume = r)));
          try {
            yield* checkpoint();
            log.push("went on");
          } catch (error) {
            log.push(nameOf(error));
            throw error;
          }
        }());
        yield* pause();
        resume("value");
        scope.cancel();
      });
    }));
    assertEquals(log, ["value", "Cancelled"]);
  },
);

inEveryOrder(
  "R18: an error that settled the wait before the cancel is thrown, and replaces it",
  async ({ loop }) => {
    let fail!: (error: unknown) => void;
    const error = await rejection(loop.run(CancelScope.open(function* (scope) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(suspend((_, f) => void (fail = f)));
        yield* pause();
        fail(new RangeError("late"));
        scope.cancel();
      });
    })));
    assert(error instanceof NurseryError);
    assertEquals(error.find(RangeError)?.message, "late");
  },
);

inEveryOrder(
  "R18: cancelled first, then settled at the same instant: it did not happen",
  async ({ loop, log }) => {
    let resume!: (value: string) => void;
    let undone = 0;
    await loop.run(CancelScope.open(function* (scope) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(function* (): Coroutine {
          try {
            log.push(
              yield* suspend<string>((r) => {
                resume = r;
                return () => undone++;
              }),
            );
          } catch (error) {
            log.push(nameOf(error));
            throw error;
          }
        }());
        yield* pause();
        scope.cancel();
        resume("too late");
      });
    }));
    assertEquals(log, ["Cancelled"]);
    assertEquals(undone, 1);
  },
);

inEveryOrder(
  "R18: a sleep whose time came at the very instant of the deadline slept, or was cancelled, as was set first",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      yield* moveOnAfter(1, function* () {
        yield* sleep(1);
        log.push("the scope's deadline was set first");
      });
      yield* CancelScope.open(function* (scope) {
        yield* Nursery.open(function* (nursery) {
          nursery.startSoon(function* (): Coroutine {
            yield* sleep(1);
            log.push("the sleep was set first");
            yield* checkpoint();
            log.push("but the next wait is cancelled");
          }());
          yield* checkpoint();
          yield* checkpoint();
          scope.deadline = loop.now + 1;
        });
      });
    }());
    assertEquals(log, ["the sleep was set first"]);
  },
);

// R19

inEveryOrder("R19: the scope that was cancelled stops the exception", async ({ loop }) => {
  await loop.run(function* (): Coroutine {
    let inner!: CancelScope;
    const outerValue = yield* CancelScope.open(function* (outer) {
      const value = yield* CancelScope.open(function* (scope) {
        inner = scope;
        scope.cancel("inner");
        yield* sleep(1);
        return 1;
      });
      assertEquals(value, undefined);
      assert(inner.cancelledCaught);
      assert(!outer.cancelCalled);
      return 2;
    });
    assertEquals(outerValue, 2);
  }());
});

inEveryOrder(
  "R19: with several cancelled scopes the outermost stops it, whichever was cancelled first",
  async ({ loop }) => {
    for (const first of ["inner", "outer"]) {
      await loop.run(function* (): Coroutine {
        const scopes: CancelScope[] = [];
        let between = false;
        yield* CancelScope.open(function* (outer) {
          scopes.push(outer);
          yield* CancelScope.open(function* (inner) {
            scopes.push(inner);
            if (first === "inner") inner.cancel("inner");
            outer.cancel("outer");
            inner.cancel("inner");
            yield* sleep(1);
          });
          between = true;
        });
        assert(!between);
        assertEquals(scopes.map((scope) => scope.cancelledCaught), [true, false]);
        assertEquals(scopes.map((scope) => scope.reason), ["outer", "inner"]);
      }());
    }
  },
);

inEveryOrder("R19: a cancelled scope beyond a shield does not stop it", async ({ loop, log }) => {
  await loop.run(function* (): Coroutine {
    yield* CancelScope.open(function* (outer) {
      outer.cancel("outer");
      yield* CancelScope.open(function* (shielded) {
        yield* sleep(1);
        log.push(`${loop.now} slept`);
        shielded.cancel("shielded");
        yield* sleep(1);
        log.push("not here");
      }, { shield: true });
      log.push(`${loop.now} stopped at the shield`);
      yield* sleep(1);
      log.push("nor here");
    });
  }());
  assertEquals(log, ["1 slept", "1 stopped at the shield"]);
});

inEveryOrder(
  "R19: a scope that is cancelled but hit nothing gives the body's value",
  async ({ loop }) => {
    await loop.run(function* (): Coroutine {
      let scope!: CancelScope;
      const value = yield* CancelScope.open(function* (s) {
        scope = s;
        s.cancel();
        return 7;
      });
      assertEquals(value, 7);
      assert(scope.cancelCalled);
      assert(!scope.cancelledCaught);
    }());
  },
);

inEveryOrder(
  "R19: a body that swallows its cancel and returns a value: open gives undefined, nothing was caught",
  async ({ loop }) => {
    await loop.run(function* (): Coroutine {
      let scope!: CancelScope;
      const value = yield* CancelScope.open(function* (s) {
        scope = s;
        s.cancel();
        try {
          yield* sleep(1);
        } catch {
          return "fallback";
        }
      });
      assertEquals(value, undefined);
      assert(!scope.cancelledCaught);
    }());
  },
);

// R20: real mistakes

inEveryOrder(
  "R20: `catch {}` in an endless loop ends, with one warning that names the task and the line",
  async ({ loop, log, warnings }) => {
    await loop.run(function* (): Coroutine {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(
          function* swallower(): Coroutine {
            for (;;) {
              try {
                yield* sleep(10);
              } catch {
                log.push("swallowed");
              } finally {
                log.push("finally");
              }
            }
          }(),
          { name: "poller" },
        );
        yield* sleep(1);
        nursery.cancel();
      });
      log.push(`left at ${loop.now}`);
    }());
    assertEquals(log, ["swallowed", "finally", "finally", "left at 1"]);
    assertEquals(warnings.length, 1);
    assertEquals(warnings[0].task.name, "poller");
    assertMatch(warnings[0].message, /Task poller was cancelled, and waits again/);
    assertMatch(warnings[0].message, /if \(error instanceof Cancelled\) throw error/);
    assertMatch(warnings[0].message, /swallower.*cancel_scope_test\.ts:\d+/);
  },
);

inEveryOrder(
  "R20: a catch that returns a fallback gives it, without a warning, and the cancel lands in the caller",
  async ({ loop, log, warnings }) => {
    function* lookUp(): Coroutine<string> {
      try {
        yield* sleep(10);
        return "found";
      } catch {
        return "fallback";
      }
    }
    await loop.run(moveOnAfter(1, function* () {
      log.push(yield* lookUp());
      yield* sleep(1);
      log.push("went on");
    }));
    assertEquals(log, ["fallback"]);
    assertEquals(warnings.length, 1); // it waited again
    log.length = warnings.length = 0;
    assertEquals(await loop.run(moveOnAfter(1, lookUp())), "fallback");
    assertEquals(warnings.length, 0); // it did not
  },
);

inEveryOrder(
  "R20: a finally that waits unshielded is cancelled again, and the warning says what to write",
  async ({ loop, log, warnings }) => {
    await loop.run(moveOnAfter(1, function* () {
      try {
        yield* sleepForever();
      } finally {
        log.push("closing");
        yield* sleep(1);
        log.push("closed");
      }
    }));
    assertEquals(log, ["closing"]);
    assertEquals(loop.now, 1);
    assertEquals(warnings.length, 1);
    assertMatch(warnings[0].message, /yield\* shield\(\.\.\.\) or yield\* ensure\(\.\.\.\)/);
  },
);

inEveryOrder(
  "R20: `finally { continue }` is dropped after 1,000 deliveries, with an error that names the task",
  async ({ loop, warnings }) => {
    let rounds = 0;
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(
        function* (): Coroutine {
          while (true) {
            try {
              yield* sleep(1);
            } finally {
              rounds++;
              // deno-lint-ignore no-unsafe-finally -- the mistake that is tried here
              continue;
            }
          }
        }(),
        { name: "stubborn" },
      );
      yield* sleep(0.5);
      nursery.cancel();
    })));
    assert(error instanceof NurseryError);
    assertMatch(
      error.message,
      /Task stubborn was cancelled 1000 times and went on: its coroutine is dropped/,
    );
    assertEquals(rounds, 1000);
    assertEquals(warnings.length, 1);
  },
);

for (
  const [name, within] of Object.entries({
    "a scope": (body: Coroutine) => CancelScope.open(body),
    "a time limit": (body: Coroutine) => moveOnAfter(5, body),
    "a nursery": (body: Coroutine) =>
      Nursery.open(function* (nursery) {
        nursery.startSoon(body);
      }),
  })
) {
  inEveryOrder(
    `R20: \`catch {}\` in an endless loop ends also where each round waits in ${name} of its own`,
    async ({ loop, warnings }) => {
      let caught = 0;
      await loop.run(moveOnAfter(1, function* () {
        for (;;) {
          try {
            yield* within(sleep(2) as Operation<void> as Coroutine);
          } catch {
            assert(++caught < 10, "it never ends");
          }
        }
      }));
      assertEquals(caught, 1);
      assertEquals(warnings.length, 1);
      assertEquals(loop.now, 1);
    },
  );
}

inEveryOrder("R20: one that goes on in scopes of its own is dropped too", async ({ loop }) => {
  let rounds = 0;
  const error = await rejection(loop.run(moveOnAfter(0.5, function* () {
    while (true) {
      try {
        yield* CancelScope.open(() => sleep(1) as Operation<void> as Coroutine);
      } finally {
        assert(++rounds <= 2000, "it is never dropped");
        // deno-lint-ignore no-unsafe-finally -- the mistake that is tried here
        continue;
      }
    }
  })));
  assertMatch((error as NurseryError).message, /went on: its coroutine is dropped/);
});

inEveryOrder(
  "R20: the error of a dropped coroutine goes to the frame below, which can go on",
  async ({ loop, log }) => {
    function* stubborn(): Coroutine {
      while (true) {
        try {
          yield* sleep(1);
        } finally {
          // deno-lint-ignore no-unsafe-finally -- the mistake that is tried here
          continue;
        }
      }
    }
    await loop.run(function* (): Coroutine {
      try {
        yield* moveOnAfter(0.5, stubborn());
      } catch (error) {
        log.push((error as Error).message.slice(0, 40));
      }
      yield* sleep(1);
      log.push(`${loop.now} fine`);
    }());
    assertEquals(log, ["Task main was cancelled 1000 times and w", "1.5 fine"]);
  },
);

inEveryOrder(
  "R20: the delivery by return() belongs to the cancelled scope: outside it, errors can be caught again",
  async ({ loop, log, warnings }) => {
    await loop.run(function* (): Coroutine {
      for (const round of [1, 2]) {
        yield* moveOnAfter(1, function* () {
          for (;;) {
            try {
              yield* sleep(10);
            } catch (error) {
              log.push(`${round} ${nameOf(error)}`);
            }
          }
        });
      }
      yield* moveOnAfter(1, function* () {
        try {
          yield* sleep(10);
        } catch (error) {
          log.push(`3 ${nameOf(error)}`);
          throw error;
        }
      });
    }());
    assertEquals(log, ["1 Cancelled", "2 Cancelled", "3 Cancelled"]);
    assertEquals(warnings.length, 1); // once for a task
  },
);

inEveryOrder(
  "R20: after a swallow, an inner shield still works, and its own body can catch",
  async ({ loop, log }) => {
    await loop.run(moveOnAfter(1, function* () {
      try {
        yield* sleepForever();
      } catch {
        // swallowed
      }
      yield* shield(function* (): Coroutine {
        yield* sleep(1);
        log.push(`${loop.now} slept`);
        try {
          throw new Error("caught");
        } catch (error) {
          log.push(nameOf(error));
        }
      });
      yield* sleep(1);
      log.push("not here");
    }));
    assertEquals(log, ["2 slept", "Error: caught"]);
  },
);

inEveryOrder(
  "R20: a cancel that unwinds call frames runs every finally, though swallowed once",
  async ({ loop, log }) => {
    function* level(n: number): Coroutine {
      try {
        if (n > 0) yield* call(level(n - 1));
        else {
          try {
            yield* sleepForever();
          } catch {
            yield* sleepForever();
          }
        }
        log.push("went on");
      } finally {
        log.push(`finally ${n}`);
      }
    }
    await loop.run(moveOnAfter(1, level(3)));
    assertEquals(log, ["finally 0", "finally 1", "finally 2", "finally 3"]);
  },
);

// R21, R22

inEveryOrder(
  "R21: shield lets cleanup wait, and the cancel goes on after it",
  async ({ loop, log, warnings }) => {
    await loop.run(moveOnAfter(1, function* () {
      try {
        yield* sleepForever();
      } finally {
        yield* shield(sleep(2));
        log.push(`closed at ${loop.now}`);
      }
      log.push("not here");
    }));
    assertEquals(log, ["closed at 3"]);
    assertEquals(warnings, []);
  },
);

inEveryOrder(
  "R21: shield with a timeout gives undefined where that cut it short, else the value",
  async ({ loop, log }) => {
    await loop.run(moveOnAfter(1, function* () {
      try {
        yield* sleepForever();
      } finally {
        const value = yield* shield(
          function* (): Coroutine<string> {
            yield* sleep(1);
            return "in time";
          },
          { timeout: 5 },
        );
        log.push(`${loop.now} ${value}`);
        log.push(`${yield* shield(sleepForever(), { timeout: { seconds: 5 } })} ${loop.now}`);
      }
    }));
    assertEquals(log, ["2 in time", "undefined 7"]);
  },
);

inEveryOrder(
  "R21: a cancel that arrives during a shield lands at the next wait after it",
  async ({ loop, log }) => {
    await loop.run(moveOnAfter(1, function* () {
      yield* shield(sleep(5));
      log.push(`${loop.now} out of the shield`);
      yield* checkpoint();
      log.push("not here");
    }));
    assertEquals(log, ["5 out of the shield"]);
  },
);

inEveryOrder(
  "R22: cancel() and moving a deadline never wait, also in the cleanup of a cancelled task",
  async ({ loop, log }) => {
    await loop.run(moveOnAfter(1, function* (scope) {
      yield* CancelScope.open(function* (inner) {
        try {
          yield* sleepForever();
        } finally {
          inner.cancel();
          inner.deadline = 5;
          scope.cancel();
          log.push("cleaned up");
        }
      });
    }));
    assertEquals(log, ["cleaned up"]);
  },
);

// R23

inEveryOrder(
  "R23: cancelling twice is cancelling once; the first reason stays",
  async ({ loop }) => {
    await loop.run(CancelScope.open(function* (scope) {
      scope.cancel("first");
      scope.cancel("second");
      assertEquals(scope.reason, "first");
      try {
        yield* sleep(1);
      } catch (error) {
        assertEquals((error as Cancelled).reason, "first");
        scope.cancel("third");
        assertEquals(scope.reason, "first");
        throw error;
      }
    }));
  },
);

inEveryOrder("R23: cancelling a scope that has ended does nothing", async ({ loop }) => {
  await loop.run(function* (): Coroutine {
    let scope!: CancelScope;
    yield* CancelScope.open(function* (s) {
      scope = s;
    });
    scope.cancel();
    scope.deadline = 0;
    assert(!scope.cancelCalled);
    yield* sleep(1);
  }());
});

inEveryOrder(
  "R23: a task that cancels the scope it runs in, or itself, meets it at its next wait",
  async ({ loop, log }) => {
    const task = loop.startSoon(function* (): Coroutine {
      (yield* currentTask()).cancel("me");
      log.push("still running");
      try {
        yield* sleep(1);
      } finally {
        log.push("finally");
      }
      log.push("not here");
    }());
    await loop.run();
    assertEquals(log, ["still running", "finally"]);
    assertEquals(task.state, "cancelled");
  },
);

inEveryOrder(
  "R23: a task that cancels itself while it is cancelled already goes on unwinding once",
  async ({ loop, log }) => {
    const task = loop.startSoon(function* (): Coroutine {
      const self = yield* currentTask();
      try {
        yield* sleepForever();
      } finally {
        self.cancel("again");
        log.push("finally");
      }
    }());
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      task.cancel("once");
      task.cancel("twice");
    }());
    await loop.run();
    assertEquals(log, ["finally"]);
    assertEquals(task.state, "cancelled");
  },
);

// R24

inEveryOrder("R24: the earliest deadline in force wins, inner or outer", async ({ loop, log }) => {
  await loop.run(function* (): Coroutine {
    yield* moveOnAfter(1, function* () {
      yield* moveOnAfter(5, sleepForever());
      log.push("not here");
    });
    log.push(`outer ${loop.now}`);
    yield* moveOnAfter(5, function* () {
      yield* moveOnAfter(1, sleepForever());
      log.push(`inner ${loop.now}`);
    });
    yield* CancelScope.open(sleepForever, { timeout: 9, deadline: 3 });
    log.push(`both ${loop.now}`);
    yield* CancelScope.open(sleepForever, { timeout: 1, deadline: 9 });
    log.push(`both ${loop.now}`);
  }());
  assertEquals(log, ["outer 1", "inner 2", "both 3", "both 4"]);
});

inEveryOrder(
  "R24: a timeout counts from when the scope is entered, not from when it was written",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      const limited = moveOnAfter(1, sleepForever());
      yield* sleep(5);
      yield* limited;
      log.push(`${loop.now}`);
    }());
    assertEquals(log, ["6"]);
  },
);

inEveryOrder(
  "R24: a deadline can be moved either way, and away, while the scope is open",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      for (const [name, to] of [["later", 7], ["earlier", 2], ["never", Infinity]] as const) {
        const start = loop.now;
        yield* Nursery.open(function* (nursery) {
          nursery.scope.deadline = start + 4;
          nursery.startSoon(function* (): Coroutine {
            yield* sleep(1);
            nursery.scope.deadline = start + to;
          }());
          yield* sleep(20);
        });
        log.push(`${name} ${loop.now - start}`);
      }
    }());
    assertEquals(log, ["later 7", "earlier 2", "never 20"]);
  },
);

inEveryOrder("R24: a deadline moved into the past cancels at once", async ({ loop, log }) => {
  await loop.run(CancelScope.open(function* (scope) {
    yield* sleep(5);
    scope.deadline = 3;
    assert(scope.cancelCalled);
    log.push(`${loop.now}`);
    yield* checkpoint();
    log.push("not here");
  }));
  assertEquals(log, ["5"]);
});

inEveryOrder(
  "R24: a deadline moved by a task that wakes at the very instant it fires is moved too late",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (scope) {
      loop.startSoon(function* (): Coroutine {
        yield* sleep(2);
        log.push(`${scope.cancelCalled}`);
        scope.deadline = 5;
      }());
      yield* sleep(1); // so that the deadline is set after the sleep that ends with it
      scope.deadline = 2;
      try {
        yield* sleepForever();
      } catch (error) {
        scope.deadline = 10;
        assert(scope.cancelCalled);
        throw error;
      }
    }));
    assertEquals(log, ["true"]);
    assertEquals(loop.now, 2);
  },
);

inEveryOrder(
  "R24: a deadline moved from a callback while deadlines of that instant fire counts if it was not its turn yet",
  async ({ loop }) => {
    await loop.run(Nursery.open(function* (nursery) {
      let second!: CancelScope;
      nursery.startSoon(moveOnAfter(2, function* (first) {
        (yield* abortSignal()).onabort = () => {
          first.deadline = 9; // too late: it has fired
          second.deadline = 5; // just in time
        };
        yield* sleepForever();
      }));
      yield* sleep(1);
      yield* CancelScope.open(function* (scope) {
        second = scope;
        yield* sleepForever();
      }, { deadline: 2 });
      assertEquals(loop.now, 5);
    }));
  },
);

inEveryOrder(
  "R24: an expired deadline is a cancel whose reason is a TimeoutError",
  async ({ loop }) => {
    await loop.run(function* (): Coroutine {
      let scope!: CancelScope;
      yield* CancelScope.open(function* (s) {
        scope = s;
        yield* sleepForever();
      }, { timeout: 1 });
      assert(scope.cancelCalled && scope.cancelledCaught);
      assert(scope.reason instanceof TimeoutError);
      assertEquals(scope.deadline, 1);
    }());
  },
);

inEveryOrder(
  "R24: a scope whose deadline has passed when it is entered runs to its first wait",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (scope) {
      assert(scope.cancelCalled);
      log.push("began");
      yield* sleep(1);
      log.push("not here");
    }, { timeout: 0 }));
    assertEquals(log, ["began"]);
  },
);

Deno.test("R24: NaN and negative durations are RangeErrors where they are written", async () => {
  for (const bad of [NaN, -1, -Infinity]) {
    assertThrows(() => CancelScope.open(sleepForever(), { timeout: bad }), RangeError);
    assertThrows(() => shield(sleepForever(), { timeout: bad }), RangeError);
  }
  assertThrows(
    () => CancelScope.open(sleepForever(), { deadline: NaN }),
    RangeError,
    "got NaN (deadline",
  );
  assertThrows(
    () => CancelScope.open(sleepForever(), { deadline: "soon" as unknown as number }),
    TypeError,
    "Expected a number, got",
  );
  const { loop } = new World();
  await loop.run(CancelScope.open(function* (scope) {
    assertThrows(() => scope.deadline = NaN, RangeError);
    assertThrows(
      () => scope.shield = 1 as unknown as boolean,
      TypeError,
      "shield is true or false",
    );
    assertEquals(scope.deadline, Infinity);
  }));
});

// R26

inEveryOrder(
  "R26: unsetting a shield under a cancelled parent delivers at once",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (outer) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(function* (): Coroutine {
          yield* CancelScope.open(function* (scope) {
            nursery.startSoon(function* (): Coroutine {
              yield* CancelScope.open(function* () {
                yield* sleep(2);
                log.push(`${loop.now} unset`);
                scope.shield = false;
              }, { shield: true });
            }());
            try {
              yield* sleep(9);
            } catch (error) {
              log.push(`${loop.now} ${nameOf(error)}`);
              throw error;
            }
          }, { shield: true });
          log.push("not here");
        }());
        yield* sleep(1);
        outer.cancel();
      });
    }));
    assertEquals(log, ["2 unset", "2 Cancelled"]);
  },
);

inEveryOrder(
  "R26: a shield set while waiting keeps a later cancel out; set too late it changes nothing",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      yield* CancelScope.open(function* (outer) {
        yield* Nursery.open(function* (nursery) {
          let early!: CancelScope;
          let late!: CancelScope;
          nursery.startSoon(CancelScope.open(function* (scope) {
            early = scope;
            yield* sleep(5);
            log.push(`${loop.now} early slept`);
          }));
          nursery.startSoon(CancelScope.open(function* (scope) {
            late = scope;
            try {
              yield* sleep(5);
            } finally {
              log.push(`${loop.now} late was cancelled`);
            }
          }));
          yield* sleep(1);
          early.shield = true;
          outer.cancel();
          late.shield = true;
        });
      });
    }());
    assertEquals(log, ["1 late was cancelled", "5 early slept"]);
  },
);

inEveryOrder("R26: unsetting a shield reaches the tasks of a nursery in it", async (world) => {
  const { loop, log } = world;
  await loop.run(CancelScope.open(function* (outer) {
    outer.cancel();
    yield* CancelScope.open(function* (scope) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(world.sleeper("child", 9));
        nursery.startSoon(CancelScope.open(() => world.sleeper("shielded", 5), { shield: true }));
        yield* sleep(1);
        scope.shield = false;
        try {
          yield* sleep(1);
        } finally {
          world.note("body");
        }
      });
    }, { shield: true });
  }));
  assertEquals(log.slice(0, 2).sort(), ["1 body", "1 child Cancelled"]);
  assertEquals(log.slice(2), ["5 shielded slept"]);
});

inEveryOrder(
  "R26: a shielded scope's own cancel and deadline still land",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (outer) {
      outer.cancel();
      yield* CancelScope.open(function* (scope) {
        scope.deadline = 1;
        yield* sleepForever();
      }, { shield: true });
      log.push(`${loop.now}`);
      yield* CancelScope.open(function* (scope) {
        scope.cancel("own");
        yield* sleepForever();
      }, { shield: true });
      log.push(`${loop.now}`);
    }));
    assertEquals(log, ["1", "1"]);
  },
);

// R27

inEveryOrder(
  "R27: unwinding goes inside out: inner finally blocks and children first",
  async ({ loop, log }) => {
    await loop.run(moveOnAfter(1, function* () {
      try {
        yield* Nursery.open(function* (nursery) {
          nursery.startSoon(function* (): Coroutine {
            try {
              yield* sleepForever();
            } finally {
              yield* shield(sleep(1));
              log.push(`${loop.now} child`);
            }
          }());
          try {
            yield* CancelScope.open(function* () {
              try {
                yield* sleepForever();
              } finally {
                log.push(`${loop.now} innermost`);
              }
            });
          } finally {
            log.push(`${loop.now} body`);
          }
        });
      } finally {
        log.push(`${loop.now} outermost`);
      }
    }));
    assertEquals(log, ["1 innermost", "1 body", "2 child", "2 outermost"]);
  },
);

inEveryOrder(
  "R27: an error thrown while unwinding replaces Cancelled and goes to the nursery",
  async ({ loop }) => {
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(function* (): Coroutine {
        try {
          yield* sleepForever();
        } finally {
          // deno-lint-ignore no-unsafe-finally -- what is tried here
          throw new RangeError("cleanup broke");
        }
      }());
      yield* sleep(1);
      nursery.cancel();
    })));
    assert(error instanceof NurseryError);
    assertEquals(error.find(RangeError)?.message, "cleanup broke");
    assertEquals(error.flatten().length, 1);
    assertEquals(error.find(Cancelled), undefined);
  },
);

inEveryOrder(
  "R27: an error thrown while unwinding passes through the cancelled scope",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      let scope!: CancelScope;
      try {
        yield* CancelScope.open(function* (s) {
          scope = s;
          s.cancel();
          try {
            yield* sleepForever();
          } catch {
            throw new RangeError("instead");
          }
        });
      } catch (error) {
        log.push(nameOf(error));
      }
      assert(!scope.cancelledCaught);
      yield* sleep(1); // and nothing is cancelled any more
    }());
    assertEquals(log, ["RangeError: instead"]);
  },
);

inEveryOrder(
  "Cancelled out of place: one kept and thrown where nothing is cancelled ends that task as cancelled",
  async ({ loop }) => {
    let kept: unknown;
    const task = loop.startSoon(function* (): Coroutine {
      yield* moveOnAfter(1, function* () {
        try {
          yield* sleepForever();
        } catch (error) {
          kept = error;
          throw error;
        }
      });
      throw kept;
    }());
    await loop.run();
    assertEquals(task.state, "cancelled");
  },
);

inEveryOrder(
  "R36: one Cancelled serves all the tasks that one cancel reaches, and its stack shows who cancelled",
  async ({ loop }) => {
    const seen: unknown[] = [];
    await loop.run(Nursery.open(function* (nursery) {
      for (let i = 0; i < 2; i++) {
        nursery.startSoon(function* (): Coroutine {
          try {
            yield* sleepForever();
          } catch (error) {
            seen.push(error);
            throw error;
          }
        }());
      }
      yield* sleep(1);
      (function theCanceller() {
        nursery.cancel("by hand");
      })();
    }));
    assertEquals(seen.length, 2);
    assertStrictEquals(seen[0], seen[1]);
    assertMatch((seen[0] as Error).stack ?? "", /theCanceller/);
  },
);

inEveryOrder(
  "R20: a scope opened in a cancelled scope after a swallow inherits the cancel, not the blame",
  async ({ loop, log, warnings }) => {
    await loop.run(moveOnAfter(1, function* () {
      try {
        yield* sleepForever();
      } catch {
        // swallowed
      }
      yield* CancelScope.open(function* () {
        try {
          yield* sleep(1);
          log.push("not here");
        } finally {
          log.push("inner finally");
        }
      });
      log.push("nor here");
    }));
    assertEquals(log, ["inner finally"]);
    assert(warnings.length <= 1);
  },
);

Deno.test("R17: leaving nothing behind: ten thousand cancelled sleeps hold no timer", async () => {
  const { loop } = new World();
  await loop.run(Nursery.open(function* (nursery) {
    for (let i = 0; i < 10_000; i++) nursery.startSoon(sleep(1000 + i));
    yield* sleep(1);
    nursery.cancel();
  }));
  assertEquals(leftovers(loop), NOTHING_LEFT);
  assertEquals(loop.now, 1);
});

// R26: undo functions are code of the user's.
inEveryOrder(
  "R26: an undo that sets a shield comes too late for the cancel that it undoes",
  async ({ loop, log }) => {
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(function* (): Coroutine {
        yield* CancelScope.open(function* (scope) {
          try {
            yield* suspend(() => () => {
              scope.shield = true;
            });
          } catch (error) {
            log.push(nameOf(error));
            yield* sleep(1);
            log.push("shielded");
            throw error;
          }
        });
      }());
      nursery.startSoon(function* (): Coroutine {
        yield* checkpoint();
        nursery.cancel();
      }());
    }));
    assertEquals(log, ["Cancelled", "shielded"]);
  },
);
