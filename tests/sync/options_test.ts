/** R40b, R2: what the primitives are given is checked where it is given. */
import { assertThrows } from "@std/assert";
import { CapacityLimiter, Condition, Event, Lock, ParkingLot, Semaphore } from "../../mod.ts";

type Options = { name?: string };

Deno.test("R40b: a primitive refuses an option that it does not know", () => {
  const makers: Record<string, (options: Options) => unknown> = {
    Lock: (options) => new Lock(options),
    Event: (options) => new Event(options),
    ParkingLot: (options) => new ParkingLot(options),
    Semaphore: (options) => new Semaphore(1, options),
    Condition: (options) => new Condition(undefined, options),
    CapacityLimiter: (options) => new CapacityLimiter(1, options),
  };
  for (const [name, make] of Object.entries(makers)) {
    make({});
    make({ name: "x" });
    const unknown = { nam: "x" } as Options;
    const message = `Unknown option "nam" of ${name}(): the nearest known one is "name"`;
    assertThrows(() => make(unknown), TypeError, message);
    assertThrows(() => make(null as unknown as Options), TypeError, "got null");
    assertThrows(() => make("x" as Options), TypeError, "Expected an object of options");
    assertThrows(() => make({ name: null } as unknown as Options), TypeError, "a string, got null");
  }
  const wrong = { maximum: 1 } as { max?: number };
  assertThrows(() => new Semaphore(1, wrong), TypeError, 'the nearest known one is "max"');
});

Deno.test("R2: with refuses what is no body, before anything is acquired", () => {
  const lock = new Lock();
  for (const guard of [lock, new Semaphore(1), new CapacityLimiter(1), new Condition(lock)]) {
    for (const body of [undefined, 5, Promise.resolve(), []]) {
      assertThrows(
        () => guard.with(body as never),
        TypeError,
        "Expected a coroutine or a function* that makes one, got",
      );
    }
  }
});
