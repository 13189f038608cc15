/** Rules R9 to R16 and R21: what a nursery promises, under each policy. */
// deno-lint-ignore-file broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  ensure,
  moveOnAfter,
  Nursery,
  NurseryError,
  NurseryExceptionPolicy,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  TimeoutError,
} from "../../mod.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

// R9

inEveryOrder("R9: open ends only when the body and every child have ended", async (world) => {
  const { loop, log } = world;
  await loop.run(function* (): Coroutine {
    const value = yield* Nursery.open(function* (nursery) {
      nursery.startSoon(world.sleeper("long", 3));
      nursery.startSoon(world.sleeper("short", 1));
      yield* sleep(2);
      world.note("body ends");
      return "value";
    });
    world.note(`open gives ${value}`);
  }());
  assertEquals(log, ["1 short slept", "2 body ends", "3 long slept", "3 open gives value"]);
});

inEveryOrder("R9: no task outlives its nursery, however it ends", async (world) => {
  const { loop } = world;
  const ways: Record<string, (nursery: Nursery) => Coroutine> = {
    *"a body that ends"() {},
    *"a body that throws"() {
      throw new Error("body");
    },
    *"a body that throws later"() {
      yield* sleep(0.5);
      throw new Error("body");
    },
    *"a child that throws"(nursery) {
      nursery.startSoon(world.failing("child"));
    },
    *"a cancel"(nursery) {
      nursery.cancel();
    },
    *"a deadline"(nursery) {
      nursery.scope.deadline = loop.now + 0.5;
      yield* sleepForever();
    },
  };
  for (const [way, body] of Object.entries(ways)) {
    for (const exceptionPolicy of Object.values(NurseryExceptionPolicy)) {
      const tasks: Task[] = [];
      await loop.run(function* (): Coroutine {
        try {
          yield* Nursery.open(function* (nursery) {
            for (const seconds of [0, 1, 2]) tasks.push(nursery.startSoon(sleep(seconds)));
            tasks.push(nursery.startSoon(shield(sleep(3))));
            tasks.push(nursery.startLater(sleep(1), 1));
            yield* body(nursery);
          }, { exceptionPolicy });
        } catch {
          // Other tests check what came out.
        }
        for (const task of tasks) {
          assert(
            ["succeeded", "cancelled"].includes(task.state),
            `${way}, ${exceptionPolicy}: ${task.state}`,
          );
        }
      }());
    }
  }
});

inEveryOrder("R9: a nursery without children is no wait at all", async ({ loop, log }) => {
  loop.startSoon(function* (): Coroutine {
    log.push("a");
    yield* Nursery.open(function* () {});
    log.push("b");
  }());
  loop.startSoon(function* (): Coroutine {
    log.push("other");
  }());
  await loop.run();
  assertEquals(log.indexOf("b"), log.indexOf("a") + 1);
});

// R10

inEveryOrder(
  "R10: under Abort the first error cancels the body and the other children",
  async (world) => {
    const { loop, log } = world;
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(world.sleeper("sibling", 9));
      nursery.startSoon(world.failing("child", 1), { name: "bad" });
      yield* world.sleeper("body", 9);
    })));
    assertEquals(log.slice(0, 1), ["1 child fails"]);
    assertEquals(log.slice(1).sort(), ["1 body Cancelled", "1 sibling Cancelled"]);
    assert(error instanceof NurseryError);
    assertEquals(error.flatten().map(nameOf), ["Error: child"]);
  },
);

inEveryOrder("R10: the reason of the cancel under Abort is the error", async ({ loop }) => {
  let reason: unknown;
  await rejection(loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(function* (): Coroutine {
      throw new RangeError("boom");
    }());
    try {
      yield* sleepForever();
    } catch (error) {
      reason = (error as Cancelled).reason;
      throw error;
    }
  })));
  assert(reason instanceof RangeError);
});

inEveryOrder(
  "R10: under Accumulate everything runs to its end, and every error is reported",
  async (world) => {
    const { loop, log } = world;
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(world.failing("first", 1));
      nursery.startSoon(world.failing("second", 2));
      nursery.startSoon(world.sleeper("sibling", 3));
      yield* world.sleeper("body", 1.5);
    }, { exceptionPolicy: NurseryExceptionPolicy.Accumulate })));
    assertEquals(log, ["1 first fails", "1.5 body slept", "2 second fails", "3 sibling slept"]);
    assertEquals((error as NurseryError).flatten().map(nameOf), ["Error: first", "Error: second"]);
  },
);

inEveryOrder("R10: under Ignore the errors of children are dropped", async (world) => {
  const { loop, log } = world;
  const value = await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(world.failing("child", 1));
    yield* world.sleeper("body", 2);
    return "value";
  }, { exceptionPolicy: "ignore" }));
  assertEquals(value, "value");
  assertEquals(log, ["1 child fails", "2 body slept"]);
});

for (const exceptionPolicy of Object.values(NurseryExceptionPolicy)) {
  inEveryOrder(
    `R10: under ${exceptionPolicy} an error of the body cancels the children`,
    async (world) => {
      const { loop, log } = world;
      const error = await rejection(loop.run(Nursery.open(function* (nursery) {
        nursery.startSoon(world.sleeper("child", 9));
        yield* world.failing("body", 1);
      }, { exceptionPolicy })));
      assertEquals(log, ["1 body fails", "1 child Cancelled"]);
      assertEquals((error as NurseryError).flatten().map(nameOf), ["Error: body"]);
    },
  );
}

inEveryOrder("R10: a cancelled child is no error, and cancels nobody else", async (world) => {
  const { loop, log } = world;
  await loop.run(Nursery.open(function* (nursery) {
    const child = nursery.startSoon(world.sleeper("child", 9));
    nursery.startSoon(world.sleeper("sibling", 2));
    yield* sleep(1);
    child.cancel();
  }));
  assertEquals(log, ["1 child Cancelled", "2 sibling slept"]);
});

Deno.test("R10: a policy that does not exist is a RangeError", () => {
  assertThrows(
    () => Nursery.open(sleep(0), { exceptionPolicy: "retry" as "abort" }),
    RangeError,
    'Expected "abort", "accumulate" or "ignore", got "retry" (exceptionPolicy)',
  );
});

// R11

inEveryOrder(
  "R11: one NurseryError with every error in order of occurrence, tasks beside them, the first as cause",
  async (world) => {
    const { loop } = world;
    let tasks: Task[] = [];
    const error = await rejection(loop.run(function* (): Coroutine {
      try {
        yield* Nursery.open(function* (nursery) {
          tasks = [
            nursery.startSoon(world.failing("third", 3), { name: "c" }),
            nursery.startSoon(world.failing("first", 1), { name: "a" }),
            nursery.startSoon(world.failing("second", 2), { name: "b" }),
          ];
          yield* world.failing("fourth", 4);
        }, { exceptionPolicy: "accumulate" });
      } catch (error) {
        assert(error instanceof NurseryError);
        assertEquals(error.errors.map(nameOf), [
          "Error: first",
          "Error: second",
          "Error: third",
          "Error: fourth",
        ]);
        assertEquals(error.tasks.slice(0, 3), [tasks[1], tasks[2], tasks[0]]);
        assertEquals(error.tasks[3].name, "main");
        assertStrictEquals(error.cause, error.errors[0]);
        assertEquals(
          error.message,
          "4 errors; the first, in task a: Error: first; others in tasks b, c, main",
        );
        throw error;
      }
    }()));
    assert(error instanceof NurseryError);
  },
);

inEveryOrder(
  "R11: errors that two children throw at the same instant are both reported",
  async (world) => {
    const { loop } = world;
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      for (const name of ["x", "y"]) {
        nursery.startSoon(function* (): Coroutine {
          throw new Error(name);
        }());
      }
    })));
    assertEquals((error as NurseryError).flatten().map(nameOf).sort(), ["Error: x", "Error: y"]);
  },
);

inEveryOrder(
  "R11: an error of the cleanup of a cancelled sibling is reported after the first",
  async (world) => {
    const { loop } = world;
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(function* (): Coroutine {
        try {
          yield* sleepForever();
        } catch {
          throw new RangeError("second");
        }
      }());
      nursery.startSoon(world.failing("first", 1));
    })));
    assertEquals((error as NurseryError).flatten().map(nameOf), [
      "Error: first",
      "RangeError: second",
    ]);
    assertEquals((error as NurseryError).find(Cancelled), undefined);
  },
);

inEveryOrder(
  "R11: the message stays short however deep the nesting and however long the texts",
  async ({ loop }) => {
    function* nested(depth: number): Coroutine {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(
          depth === 0
            ? (function* (): Coroutine {
              throw new Error("x".repeat(10_000));
            })()
            : nested(depth - 1),
          { name: `a task with quite a long name, number ${depth}` },
        );
      });
    }
    const error = await rejection(loop.run(nested(300)));
    assert(error instanceof NurseryError);
    assert(error.message.length < 400, String(error.message.length));
    assertMatch(error.message, /^1 error, in task a task with/);
    assertEquals((error.cause as Error).message.length, 10_000);
    assertEquals(error.flatten().length, 1);
  },
);

inEveryOrder("R11: find and flatten look into nested nursery errors, in order", async (world) => {
  const { loop } = world;
  const error = await rejection(loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(Nursery.open(function* (inner) {
      inner.startSoon(world.failing("inner 1", 1));
      inner.startSoon(world.failing("inner 2", 2));
    }, { exceptionPolicy: "accumulate" }));
    nursery.startSoon(function* (): Coroutine {
      yield* sleep(3);
      throw new RangeError("outer");
    }());
  }, { exceptionPolicy: "accumulate" })));
  assert(error instanceof NurseryError);
  assertEquals(error.flatten().map(nameOf), [
    "Error: inner 1",
    "Error: inner 2",
    "RangeError: outer",
  ]);
  assertEquals(error.find(RangeError)?.message, "outer");
  assertEquals(error.find(SyntaxError), undefined);
  assertEquals((error.cause as Error).message, "inner 1");
});

inEveryOrder("R11: what is thrown need not be an Error", async ({ loop }) => {
  for (const thrown of ["text", undefined, null, 42]) {
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(function* (): Coroutine {
        throw thrown;
      }());
    })));
    assertEquals((error as NurseryError).flatten(), [thrown]);
  }
});

// R12

inEveryOrder(
  "R12: a child may start siblings, also while the nursery waits to close",
  async (world) => {
    const { loop, log } = world;
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(function* (): Coroutine {
        yield* sleep(1);
        nursery.startSoon(world.sleeper("sibling", 1));
      }());
    }));
    assertEquals(log, ["2 sibling slept"]);
  },
);

inEveryOrder(
  "R12: starting in a closed nursery throws, and says so, in each of the three ways",
  async ({ loop }) => {
    await loop.run(function* (): Coroutine {
      let nursery!: Nursery;
      yield* Nursery.open(function* (n) {
        nursery = n;
      }, { name: "workers" });
      assertThrows(
        () => nursery.startSoon(sleep(0)),
        Error,
        "startSoon() in workers, which is closed",
      );
      assertThrows(
        () => nursery.startLater(sleep(0), 1),
        Error,
        "startLater() in workers, which is closed",
      );
      try {
        yield* nursery.start(() => sleep(0));
        throw new Error("started");
      } catch (error) {
        assertMatch((error as Error).message, /start\(\) in workers, which is closed/);
      }
      nursery.cancel(); // harmless
    }());
  },
);

inEveryOrder(
  "R12: waiting for the children is a wait: under an outer cancel it ends, after the children, with Cancelled",
  async (world) => {
    const { loop, log } = world;
    await loop.run(moveOnAfter(1, function* () {
      try {
        yield* Nursery.open(function* (nursery) {
          nursery.startSoon(shield(world.sleeper("child", 3)));
        });
        world.note("went on");
      } catch (error) {
        world.note(nameOf(error));
        throw error;
      }
    }));
    assertEquals(log, ["3 child slept", "3 Cancelled"]);
  },
);

inEveryOrder(
  "R12: where the last child ended at the instant of the cancel, and first, open gives its value",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (scope) {
      loop.startSoon(function* (): Coroutine {
        yield* sleep(1);
        // By now the child's sleep is settled; its end and this run in either order.
        scope.cancel();
      }());
      const value = yield* Nursery.open(function* (nursery) {
        nursery.startSoon(function* (): Coroutine {
          yield* sleep(1);
        }());
        return "value";
      });
      log.push(`${value}`);
      try {
        yield* checkpoint();
        log.push("not here");
      } finally {
        log.push("then Cancelled");
      }
    }));
    assert(["value,then Cancelled", ""].includes(log.join()), log.join());
  },
);

// R13

inEveryOrder(
  "R13: in a cancelled nursery a child runs to its first wait, and is cancelled there",
  async ({ loop, log }) => {
    await loop.run(Nursery.open(function* (nursery) {
      nursery.cancel();
      nursery.startSoon(function* (): Coroutine {
        log.push("took over");
        try {
          yield* sleep(1);
          log.push("not here");
        } finally {
          log.push("gave back");
        }
      }());
    }));
    assertEquals(log, ["took over", "gave back"]);
  },
);

inEveryOrder(
  "R13: children that fail before their first wait are all reported, also under Abort",
  async ({ loop }) => {
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      for (let i = 0; i < 3; i++) {
        nursery.startSoon(function* (): Coroutine {
          throw new Error(`${i}`);
        }());
      }
    })));
    assertEquals((error as NurseryError).flatten().map(nameOf).sort(), [
      "Error: 0",
      "Error: 1",
      "Error: 2",
    ]);
  },
);

inEveryOrder(
  "R13: a child cancelled between startSoon and its first step still runs to its first wait",
  async ({ loop, log }) => {
    await loop.run(Nursery.open(function* (nursery) {
      const child = nursery.startSoon(function* (): Coroutine {
        log.push("ran");
        yield* sleep(1);
        log.push("not here");
      }());
      child.cancel();
    }));
    assertEquals(log, ["ran"]);
  },
);

// R14

inEveryOrder(
  "R14: timeout cancels body and children; open gives undefined and timedOut is true",
  async (world) => {
    const { loop, log } = world;
    let nursery!: Nursery;
    const value = await loop.run(Nursery.open(function* (n) {
      nursery = n;
      n.startSoon(world.sleeper("child", 9));
      assert(!n.timedOut);
      yield* world.sleeper("body", 9);
      return "value";
    }, { timeout: 2 }));
    assertEquals(value, undefined);
    assertEquals(log.sort(), ["2 body Cancelled", "2 child Cancelled"]);
    assert(nursery.timedOut);
    assert(nursery.scope.cancelledCaught);
    assert(nursery.scope.reason instanceof TimeoutError);
  },
);

inEveryOrder(
  "R14: timeout while it waits for its children: open gives undefined, although the body had a value",
  async (world) => {
    let nursery!: Nursery;
    const value = await world.loop.run(Nursery.open(function* (n) {
      nursery = n;
      n.startSoon(world.sleeper("child", 9));
      return "value";
    }, { timeout: { milliseconds: 2000 } }));
    assertEquals(value, undefined);
    assertEquals(world.log, ["2 child Cancelled"]);
    assert(nursery.timedOut);
  },
);

inEveryOrder(
  "R14: a nursery that ends in time has not timed out, nor one that was cancelled",
  async (world) => {
    const { loop } = world;
    let nursery!: Nursery;
    assertEquals(
      await loop.run(Nursery.open(function* (n) {
        nursery = n;
        n.startSoon(world.sleeper("child", 1));
        return "value";
      }, { timeout: 2 })),
      "value",
    );
    assert(!nursery.timedOut);
    await loop.run(Nursery.open(function* (n) {
      nursery = n;
      n.cancel();
      yield* sleepForever();
    }, { timeout: 2 }));
    assert(!nursery.timedOut);
  },
);

inEveryOrder("R14: an error beside a timeout is reported", async (world) => {
  const error = await rejection(world.loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(function* (): Coroutine {
      try {
        yield* sleepForever();
      } finally {
        // deno-lint-ignore no-unsafe-finally -- what is tried here
        throw new Error("cleanup");
      }
    }());
  }, { timeout: 1 })));
  assertEquals((error as NurseryError).flatten().map(nameOf), ["Error: cleanup"]);
});

// R15

inEveryOrder(
  "R15: start waits until the child calls started, and gives the value",
  async (world) => {
    const { loop, log } = world;
    await loop.run(Nursery.open(function* (nursery) {
      const port = yield* nursery.start<number>(function* (started) {
        yield* sleep(1);
        started(8080);
        yield* sleep(1);
        world.note("child ends");
      });
      world.note(`listening on ${port}`);
    }));
    assertEquals(log, ["1 listening on 8080", "2 child ends"]);
  },
);

inEveryOrder(
  "R15: started may be called before the first wait, even while the body is being made",
  async (world) => {
    await world.loop.run(Nursery.open(function* (nursery) {
      assertEquals(
        yield* nursery.start<string>((started) => {
          started("at once");
          return sleep(1);
        }),
        "at once",
      );
      assertEquals(
        yield* nursery.start<string>(function* (started) {
          started("first step");
        }),
        "first step",
      );
    }));
  },
);

inEveryOrder(
  "R15: a child that throws first makes start throw that error unwrapped, and the nursery never hears of it",
  async (world) => {
    const { loop, log } = world;
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(world.sleeper("sibling", 2));
      try {
        yield* nursery.start(() => world.failing("no port", 1));
      } catch (error) {
        world.note(`start throws ${nameOf(error)}`);
      }
    }));
    assertEquals(log, ["1 no port fails", "1 start throws Error: no port", "2 sibling slept"]);
  },
);

inEveryOrder("R15: a child that throws after started goes to the nursery", async (world) => {
  const error = await rejection(world.loop.run(Nursery.open(function* (nursery) {
    yield* nursery.start<void>(function* (started) {
      started();
      yield* sleep(1);
      throw new Error("later");
    });
  })));
  assertEquals((error as NurseryError).flatten().map(nameOf), ["Error: later"]);
});

inEveryOrder(
  "R15: a child that returns without started is an error, which names it",
  async (world) => {
    await world.loop.run(Nursery.open(function* (nursery) {
      try {
        yield* nursery.start(() => sleep(1), { name: "server" });
      } catch (error) {
        world.note(nameOf(error));
      }
    }));
    assertEquals(world.log, ["1 Error: Task server ended without calling started()"]);
  },
);

inEveryOrder(
  "R15: a child that is cancelled before started makes start throw TaskCancelledError",
  async (world) => {
    const { loop, log } = world;
    await loop.run(Nursery.open(function* (nursery) {
      loop.startSoon(function* (): Coroutine {
        yield* sleep(1);
        for (const child of nursery.children) child.cancel();
      }());
      try {
        yield* nursery.start(() => sleepForever(), { name: "server" });
      } catch (error) {
        assert(error instanceof TaskCancelledError);
        world.note(nameOf(error));
      }
    }));
    assertEquals(log, ["1 TaskCancelledError: Task server was cancelled by task #2"]);
  },
);

inEveryOrder("R15: calling started twice is an error in the child", async (world) => {
  const error = await rejection(world.loop.run(Nursery.open(function* (nursery) {
    yield* nursery.start<number>(function* (started) {
      started(1);
      started(2);
    });
  })));
  assertMatch((error as NurseryError).message, /started\(\) was called twice/);
});

inEveryOrder("R15: a start that is cancelled cancels its child and waits for it", async (world) => {
  const { loop, log } = world;
  await loop.run(Nursery.open(function* (nursery) {
    yield* moveOnAfter(1, function* () {
      yield* nursery.start(function* () {
        try {
          yield* sleepForever();
        } finally {
          yield* shield(sleep(2));
          world.note("child ends");
        }
      });
    });
    world.note("start ends");
    assertEquals([...nursery.children], []);
  }));
  assertEquals(log, ["3 child ends", "3 start ends"]);
});

inEveryOrder(
  "R15: a child that calls started while it is being cancelled is waited for all the same",
  async (world) => {
    const { loop, log } = world;
    await loop.run(Nursery.open(function* (nursery) {
      yield* moveOnAfter(1, function* () {
        yield* nursery.start<string>(function* (started) {
          try {
            yield* sleepForever();
          } finally {
            started("too late");
            yield* shield(sleep(2));
            world.note("child ends");
          }
        });
        world.note("not here");
      });
      world.note("start ends");
    }));
    assertEquals(log, ["3 child ends", "3 start ends"]);
  },
);

inEveryOrder(
  "R15: started at the very instant start is cancelled: either it started, or it is gone",
  async (world) => {
    const { loop, log } = world;
    await loop.run(Nursery.open(function* (nursery) {
      yield* moveOnAfter(1, function* () {
        const value = yield* nursery.start<string>(function* (started) {
          yield* sleep(1);
          started("value");
          try {
            yield* sleep(5);
          } catch (error) {
            world.note("child cancelled");
            throw error;
          }
          world.note("child slept");
        });
        world.note(`started ${value}`);
      });
      world.note("after");
    }));
    // The deadline was set before the child's sleep, so it fires first: the child is cancelled.
    assertEquals(log, ["1 after"]);
  },
);

inEveryOrder(
  "R15: the nursery stays open while a start is pending from outside of it",
  async (world) => {
    const { loop, log } = world;
    await loop.run(function* (): Coroutine {
      let inner!: Nursery;
      yield* Nursery.open(function* (outer) {
        outer.startSoon(function* (): Coroutine {
          yield* Nursery.open(function* (nursery) {
            inner = nursery;
            yield* sleep(0.5);
          });
          world.note("inner closed");
        }());
        yield* sleep(0.1);
        const value = yield* inner.start<string>(function* (started) {
          yield* sleep(2);
          started("up");
          yield* sleep(1);
        });
        world.note(value);
      });
    }());
    assertEquals(log, ["2.1 up", "3.1 inner closed"]);
  },
);

Deno.test("R15: start wants a function, at once", async () => {
  const { loop } = new World();
  await loop.run(Nursery.open(function* (nursery) {
    assertThrows(
      // deno-lint-ignore broomio/no-uncalled-coroutine -- what is refused is tested here
      () => nursery.start(sleep(1) as unknown as () => Coroutine),
      TypeError,
      "Expected a function that takes started",
    );
  }));
});

// R16

inEveryOrder(
  "R16: startLater counts as a child at once, and runs after its delay",
  async (world) => {
    const { loop, log } = world;
    await loop.run(function* (): Coroutine {
      yield* Nursery.open(function* (nursery) {
        nursery.startLater(world.sleeper("late", 1), { seconds: 2 }, { name: "late" });
        assertEquals([...nursery.children].map((child) => `${child.name} ${child.state}`), [
          "late waiting",
        ]);
      });
      world.note("closed");
    }());
    assertEquals(log, ["3 late slept", "3 closed"]);
  },
);

inEveryOrder(
  "R16: cancelled before its time it never runs, by itself, by its nursery, or started in a cancelled one",
  async ({ loop, log }) => {
    function* late(): Coroutine {
      log.push("ran");
    }
    await loop.run(function* (): Coroutine {
      const tasks: Task[] = [];
      yield* Nursery.open(function* (nursery) {
        tasks.push(nursery.startLater(late(), 2));
        yield* sleep(1);
        tasks[0].cancel();
      });
      yield* Nursery.open(function* (nursery) {
        tasks.push(nursery.startLater(late(), 2));
        yield* sleep(1);
        nursery.cancel();
      });
      yield* Nursery.open(function* (nursery) {
        nursery.cancel();
        tasks.push(nursery.startLater(late(), 0));
      });
      assertEquals(tasks.map((task) => task.state), ["cancelled", "cancelled", "cancelled"]);
      assertEquals(loop.now, 2);
    }());
    assertEquals(log, []);
  },
);

inEveryOrder("R16: a delay is a duration, and Infinity is never", async (world) => {
  await world.loop.run(Nursery.open(function* (nursery) {
    for (const delay of [NaN, -1]) {
      assertThrows(() => nursery.startLater(sleep(0), delay), RangeError);
    }
    assertEquals([...nursery.children], []); // a refused child leaves nothing behind
    const never = nursery.startLater(sleep(0), Infinity);
    yield* sleep(1);
    assertEquals(never.state, "waiting");
    never.cancel();
  }));
});

// R21 in nurseries

inEveryOrder(
  "R21: ensure runs when the nursery ends, after its children, last registered first, shielded",
  async (world) => {
    const { loop, log } = world;
    await loop.run(moveOnAfter(1, function* () {
      yield* Nursery.open(function* (nursery) {
        yield* ensure(() => world.note("first registered"));
        yield* ensure(function* (): Coroutine {
          yield* sleep(1);
          world.note("second registered");
        });
        nursery.startSoon(shield(world.sleeper("child", 3)));
        yield* sleepForever();
      });
    }));
    assertEquals(log, ["3 child slept", "4 second registered", "4 first registered"]);
  },
);

// Children, cancel from outside

inEveryOrder(
  "R9: children lists those that have not ended, oldest first; parent is the task that opened the nursery",
  async (world) => {
    await world.loop.run(function* (): Coroutine {
      yield* Nursery.open(function* (nursery) {
        const a = nursery.startSoon(sleep(3), { name: "a" });
        nursery.startSoon(sleep(1), { name: "b" });
        nursery.startSoon(sleep(2), { name: "c" });
        const names = () => [...nursery.children].map((child) => child.name).join();
        assertEquals(names(), "a,b,c");
        assertEquals(a.parent?.name, "main");
        yield* sleep(1.5);
        assertEquals(names(), "a,c");
        yield* sleep(1);
        assertEquals(names(), "a");
      });
    }());
  },
);

inEveryOrder(
  "R9: a nursery can be used by a task outside of it, for as long as it is open",
  async (world) => {
    const { loop, log } = world;
    let inner!: Nursery;
    loop.startSoon(Nursery.open(function* (nursery) {
      inner = nursery;
      yield* sleep(2);
    }));
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      const task = inner.startSoon(world.sleeper("guest", 2));
      assertEquals(task.parent?.id, 1);
    }());
    await loop.run();
    assertEquals(log, ["3 guest slept"]);
  },
);

inEveryOrder(
  "R10: a nursery cancelled by its child's error while the body sleeps shielded waits for the shield",
  async (world) => {
    const { loop, log } = world;
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(world.failing("child", 1));
      yield* shield(world.sleeper("body", 3));
      world.note("body goes on");
      yield* checkpoint();
      world.note("not here");
    })));
    assertEquals(log, ["1 child fails", "3 body slept", "3 body goes on"]);
    assertEquals((error as NurseryError).errors.length, 1);
  },
);

Deno.test("R12: closed says whether a nursery takes tasks, also from a callback", async () => {
  const { loop } = new World();
  let kept!: Nursery;
  await loop.run(Nursery.open(function* (nursery) {
    kept = nursery;
    assertEquals(nursery.closed, false);
    nursery.startSoon(function* (): Coroutine {
      yield* sleep(1);
      assertEquals(nursery.closed, false); // it waits for this child
    }());
  }));
  assertEquals(kept.closed, true);
  assertThrows(() => kept.startSoon(sleep(1)), Error, "closed");
});

Deno.test("R2: the name of a task is a string, refused where it is given", () => {
  const { loop } = new World();
  for (const name of [Symbol("x"), 5, null, Object.create(null)]) {
    assertThrows(() => loop.startSoon(sleep(1), { name: name as string }), TypeError, "a string");
  }
  assertEquals([...loop.tasks], []);
});
