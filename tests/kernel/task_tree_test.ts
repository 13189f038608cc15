/** Rule R25: a timeout says what was waited for; and what deadlock reports are made of. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Coroutine,
  failAfter,
  Lock,
  moveOnAfter,
  Nursery,
  sleep,
  sleepForever,
  suspend,
  TimeoutError,
} from "../../mod.ts";
import { inEveryOrder, rejection, World } from "../support/world.ts";

inEveryOrder(
  "R25: a TimeoutError tells what each task under the scope waited for",
  async ({ loop }) => {
    const lock = new Lock({ name: "db" });
    const error = await rejection(loop.run(function* (): Coroutine {
      yield* lock.acquire();
      yield* sleep(0.5);
      yield* failAfter(
        2,
        Nursery.open(function* (nursery) {
          nursery.startSoon(lock.acquire(), { name: "query" });
          yield* sleepForever();
        }),
      );
    }()));
    assert(error instanceof TimeoutError);
    assertEquals(error.message.split("\n"), [
      "Not done within 2 s",
      "  main: sleeping forever, for 2.0 s",
      '    query: acquiring lock "db", held by main, for 2.0 s',
    ]);
    assertMatch(error.stack!, /^TimeoutError: Not done within 2 s\n/);
  },
);

Deno.test("R25: a timeout over a million tasks tells of ten", async () => {
  const { loop } = new World();
  let reason: unknown;
  await loop.run(moveOnAfter(1, function* (scope) {
    yield* Nursery.open(function* (nursery) {
      for (let i = 0; i < 10_000; i++) nursery.startSoon(sleepForever());
      try {
        yield* sleepForever();
      } finally {
        reason = scope.reason;
      }
    });
  }));
  const lines = (reason as Error).message.split("\n");
  assertEquals(lines.length, 12);
  assertEquals(lines.at(-1), "  ... and more");
});

Deno.test("R7: a deadlock report says what to do where a callback would have woken a task", async () => {
  const { loop } = new World();
  const error = await rejection(loop.run(sleepForever()));
  for (const way of ["loop.hold()", "suspend()", "Portal"]) {
    assert((error as Error).message.includes(way), way);
  }
  await loop.run(suspend<void>((resume) => resume()));
});
