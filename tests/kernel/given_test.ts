/** A loop that has run a coroutine keeps nothing of it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assertEquals } from "@std/assert";
import { call, checkpoint, type Coroutine, Loop, moveOnAfter, Nursery, sleep } from "../../mod.ts";

Deno.test("a coroutine that has ended is not kept, nor what it was called with, also the only one of its function", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const collected: string[] = [];
  const registry = new FinalizationRegistry<string>((name) => collected.push(name));
  const watch = <T extends object>(value: T, name: string): T => {
    registry.register(value, name);
    return value;
  };
  function* main(argument: object): Coroutine<boolean> {
    yield* checkpoint();
    return argument !== null;
  }
  function* child(argument: object): Coroutine<boolean> {
    yield* checkpoint();
    return argument !== null;
  }
  function* called(argument: object): Coroutine<boolean> {
    yield* checkpoint();
    return argument !== null;
  }
  function* limited(argument: object): Coroutine<boolean> {
    yield* checkpoint();
    return argument !== null;
  }
  async function runAll(): Promise<void> {
    const loop = new Loop();
    await loop.run(watch(main(watch({}, "main's")), "main"));
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(watch(child(watch({}, "child's")), "child"));
      yield* call(watch(called(watch({}, "called's")), "called"));
      yield* moveOnAfter(1, watch(limited(watch({}, "limited's")), "limited"));
      yield* sleep(0.001); // the operation that was yielded last is kept until the next
    }));
  }
  await runAll();
  for (let round = 0; round < 10 && collected.length < 8; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5)); // the engine tells in a task of its own
  }
  const names = ["main", "child", "called", "limited"].flatMap((name) => [name, `${name}'s`]);
  assertEquals(collected.toSorted(), names.toSorted());
  // The functions live on.
  assertEquals(
    [main, child, called, limited].map((each) => typeof each).join(),
    "function,function,function,function",
  );
});
