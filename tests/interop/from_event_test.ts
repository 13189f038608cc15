/** fromEvent over emitters as Node has them. */
import { assertEquals, assertThrows } from "@std/assert";
import { EventEmitter } from "node:events";
import { type Coroutine, fromEvent, Loop, moveOnAfter, select, sleep } from "../../mod.ts";

Deno.test("fromEvent gives the arguments of each emit, and misses none", async () => {
  const emitter = new EventEmitter();
  const got: unknown[] = [];
  await new Loop().run(function* (): Coroutine {
    const events = fromEvent<[string, number?]>(emitter, "line");
    emitter.emit("line", "a", 1);
    emitter.emit("line", "b");
    got.push(yield* events.next(), yield* events.next());
    const waiting = select({ event: events.next(), late: sleep(60) });
    queueMicrotask(() => emitter.emit("line", "c"));
    got.push(yield* waiting);
    emitter.emit("line", "d");
    yield* events.forEach(([text]) => {
      got.push(text);
      return false;
    });
    assertEquals(emitter.listenerCount("line"), 0);
  }());
  assertEquals(got, [
    { done: false, value: ["a", 1] },
    { done: false, value: ["b"] },
    { arm: "event", value: { done: false, value: ["c"] } },
    "d",
  ]);
});

Deno.test("fromEvent stops listening to an emitter however its loop is left", async () => {
  const emitter = new EventEmitter();
  const name = Symbol("tick");
  await new Loop().run(function* (): Coroutine {
    yield* moveOnAfter(0.001, fromEvent(emitter, name).forEach(() => {}));
    assertEquals(emitter.listenerCount(name), 0);
    using source = fromEvent(emitter, name);
    assertEquals(emitter.listenerCount(name), 1);
    source.close();
    assertEquals(emitter.listenerCount(name), 0);
  }());
  assertEquals(emitter.listenerCount(name), 0);
});

Deno.test("R2: fromEvent refuses what has no events, and names that are none", () => {
  for (const wrong of [null, undefined, 5, "x", {}, { on() {} }, () => {}]) {
    assertThrows(
      () => fromEvent(wrong as unknown as EventTarget, "x"),
      TypeError,
      "Expected an EventTarget, or an emitter with on() and off(), got",
    );
  }
  for (const name of [null, 5, undefined]) {
    assertThrows(
      () => fromEvent(new EventEmitter(), name as never),
      TypeError,
      "name of fromEvent",
    );
    assertThrows(() => fromEvent(new EventTarget(), name as never), TypeError, "name of fromEvent");
  }
  assertThrows(() => fromEvent(new EventTarget(), Symbol() as never), TypeError, "got Symbol()");
});
