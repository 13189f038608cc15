/** The ready queue (R4): each order loses nothing, and is fair. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createQueue, type ExecutionOrder, seededRandom } from "../../src/kernel/ready_queue.ts";

const ORDERS: ExecutionOrder[] = ["fifo", "lifo", "random"];

Deno.test("a fifo queue gives items in the order they came, across growth and wrapping", () => {
  const queue = createQueue<number>("fifo", Math.random);
  let next = 0;
  let expected = 0;
  for (let round = 1; round < 300; round++) {
    for (let i = 0; i < round; i++) queue.push(next++);
    for (let i = 0; i < round - 1; i++) assertEquals(queue.shift(), expected++);
    assertEquals(queue.length, next - expected);
  }
  while (expected < next) assertEquals(queue.shift(), expected++);
  assertEquals(queue.shift(), undefined);
  assertEquals(queue.length, 0);
});

for (const order of ORDERS) {
  Deno.test(`R4: a ${order} queue loses nothing, doubles nothing, and overtakes at most twice`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 200 }), fc.integer(), (pushes, seed) => {
        const queue = createQueue<number>(order, seededRandom(seed));
        const waiting = new Map<number, Map<number, number>>();
        let pushed = 0;
        let shifted = 0;
        const shift = () => {
          const item = queue.shift();
          assertEquals(item === undefined, pushed === shifted);
          if (item === undefined) return;
          shifted++;
          assert(waiting.delete(item), `${item} came twice`);
          for (const overtaken of waiting.values()) {
            const times = (overtaken.get(item % 10) ?? 0) + 1;
            assert(times <= 2, `item of task ${item % 10} overtook ${times} times`);
            overtaken.set(item % 10, times);
          }
        };
        for (const count of pushes) {
          // A task is in the queue once at most: task n pushes item 10k + n.
          for (let n = 0; n < count; n++) {
            if ([...waiting.keys()].some((item) => item % 10 === n)) continue;
            const item = 10 * pushed + n;
            queue.push(item);
            waiting.set(item, new Map());
            pushed++;
          }
          shift();
        }
        while (pushed > shifted) shift();
      }),
    );
  });
}

Deno.test("R4: the same seed gives the same numbers, between 0 and 1, and any whole number is a seed", () => {
  for (const seed of [0, 1, -1, 2 ** 31, 2 ** 53 - 1]) {
    const [a, b] = [seededRandom(seed), seededRandom(seed)];
    const numbers = Array.from({ length: 1000 }, a);
    assertEquals(Array.from({ length: 1000 }, b), numbers);
    assert(numbers.every((n) => n >= 0 && n < 1));
    assert(new Set(numbers).size > 990);
    const mean = numbers.reduce((sum, n) => sum + n) / 1000;
    assert(mean > 0.4 && mean < 0.6, `seed ${seed}: mean ${mean}`);
  }
});

Deno.test("an order that does not exist is a RangeError", () => {
  assertThrows(() => createQueue("sorted" as ExecutionOrder, Math.random), RangeError, '"sorted"');
});
