/** R33: what all, race, any and allSettled drop is disposed, if it can be. */
import { assertEquals } from "@std/assert";
import {
  all,
  allSettled,
  any,
  type Coroutine,
  moveOnAfter,
  type Operation,
  race,
  settle,
  shield,
  sleep,
} from "../../mod.ts";
import { inEveryOrder } from "../support/world.ts";

/** Something that must be closed, and says when. */
class Handle implements Disposable {
  closed = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  [Symbol.dispose](): void {
    this.closed++;
  }
}

/** The same, and it takes some turns of the host. */
class SlowHandle implements AsyncDisposable {
  closed = 0;

  async [Symbol.asyncDispose](): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
    this.closed++;
  }
}

function* open<H>(handle: H, seconds: number): Coroutine<H> {
  yield* shield(sleep(seconds)); // so that it opens, whatever comes
  return handle;
}

inEveryOrder("R33: race disposes what the losers opened, and not the winner's", async (world) => {
  const { loop } = world;
  const [a, b, c] = [new Handle("a"), new Handle("b"), new Handle("c")];
  const winner = await loop.run(race([open(a, 3), open(b, 1), open(c, 2)]));
  assertEquals([winner.name, a.closed, b.closed, c.closed], ["b", 1, 0, 1]);
});

inEveryOrder(
  "R33: race does not dispose the winner's value where a loser has it too",
  async (world) => {
    const handle = new Handle("shared");
    await world.loop.run(race([open(handle, 1), open(handle, 1)]));
    assertEquals(handle.closed, 0);
    const other = new Handle("other");
    await world.loop.run(race([open(handle, 1), open(other, 2), open(other, 2)]));
    assertEquals(other.closed, 1, "once, although two losers have it");
  },
);

inEveryOrder("R33: what takes time to dispose is waited for, shielded", async (world) => {
  const slow = [new SlowHandle(), new SlowHandle()];
  const arms = slow.map((each) => open<unknown>(each, 2));
  await world.loop.run(function* (): Coroutine {
    yield* moveOnAfter(1, race([sleep(9), ...arms]));
    assertEquals(slow.map((each) => each.closed), [1, 1]);
  }());
});

inEveryOrder("R33: race disposes all values where it fails, the winner's too", async (world) => {
  const winner = new Handle("winner");
  function* failing(): Coroutine<Handle> {
    try {
      yield* sleep(5);
      return winner;
    } catch {
      throw new Error("cleanup");
    }
  }
  const result = await world.loop.run(settle(race([open(winner, 1), failing()])));
  assertEquals(String(!result.ok && result.error), "Error: cleanup");
  assertEquals(winner.closed, 1);
});

inEveryOrder("R33: all disposes what the others gave where one fails", async (world) => {
  const handles = [new Handle("a"), new Handle("b")];
  const result = await world.loop.run(
    settle(all([open(handles[0], 1), world.failing("boom", 2), open(handles[1], 3)])),
  );
  assertEquals(String(!result.ok && result.error), "Error: boom");
  assertEquals(handles.map((each) => each.closed), [1, 1]);
});

inEveryOrder("R33: all, any and allSettled dispose what they had under a cancel", async (world) => {
  type Together = (given: Operation<unknown>[]) => Operation<unknown>;
  for (const together of [all, any, allSettled] as Together[]) {
    const handles = [new Handle("a"), new Handle("b")];
    const arms = handles.map((each) => open<unknown>(each, 2));
    await world.loop.run(moveOnAfter(1, together([...arms, world.sleeper("never", 9)])));
    assertEquals(handles.map((each) => each.closed), [1, 1], together.name);
  }
});

inEveryOrder("all and allSettled give what they have, and dispose none of it", async (world) => {
  const handles = [new Handle("a"), new Handle("b")];
  await world.loop.run(function* () {
    yield* all(handles.map((each) => open(each, 1)));
    yield* allSettled([...handles.map((each) => open(each, 1)), world.failing("x", 1)]);
  }());
  assertEquals(handles.map((each) => each.closed), [0, 0]);
});

inEveryOrder(
  "R33: what goes wrong in disposing is a warning, and changes nothing else",
  async (world) => {
    const { loop, warnings } = world;
    const bad = [
      {
        [Symbol.dispose]: () => {
          throw new Error("cannot close");
        },
      },
      { [Symbol.asyncDispose]: () => Promise.reject(Object.create(null)) },
      {
        get [Symbol.asyncDispose](): never {
          throw undefined as unknown as Error;
        },
      },
    ];
    const good = new Handle("good");
    const arms = [...bad, good].map((each) => open<unknown>(each, 2));
    const winner = await loop.run(race([open<unknown>("first", 1), ...arms]));
    assertEquals(winner, "first");
    assertEquals(good.closed, 1);
    assertEquals(warnings.length, 3);
    for (const { message } of warnings) {
      assertEquals(message.startsWith("race() could not dispose a value it dropped: "), true);
    }
  },
);

inEveryOrder("a null, a string, a plain object is dropped as it is", async (world) => {
  const arms = [null, "text", {}, undefined, Object.create(null)].map((each) => open(each, 2));
  assertEquals(await world.loop.run(race([open(7, 1), ...arms] as Coroutine<unknown>[])), 7);
  assertEquals(world.warnings, []);
});
