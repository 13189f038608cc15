/** The harness itself: it cancels at every wait, at both moments, and says where a check failed. */
import { assertEquals, assertRejects } from "@std/assert";
import { checkpoint, sleep } from "../../mod.ts";
import { cancelAtEveryWait, type Outcome } from "./cancel_at_every_wait.ts";

function* threeWaits(log: string[]) {
  yield* sleep(1);
  log.push("slept");
  yield* checkpoint();
  log.push("checked");
  yield* sleep(1);
  log.push("done");
}

Deno.test("cancelAtEveryWait hits each wait once, before and after it is settled", async () => {
  const seen: string[] = [];
  const waits = await cancelAtEveryWait(() => {
    const log: string[] = [];
    return {
      victim: threeWaits(log),
      check({ wait, moment, state, completed }: Outcome) {
        seen.push(`${moment} ${wait}: ${[...log, state].join(", ")}`);
        assertEquals(completed, wait === 4);
      },
    };
  }, { seeds: 0 });
  assertEquals(waits, 3);
  assertEquals(seen.slice(0, seen.length / 2), [
    "parked 1: cancelled",
    "parked 2: slept, checked, cancelled", // a checkpoint is settled as soon as it is reached
    "parked 3: slept, checked, cancelled",
    "parked 4: slept, checked, done, succeeded",
    "settled 1: slept, cancelled",
    "settled 2: slept, checked, cancelled",
    "settled 3: slept, checked, done, succeeded",
    "settled 4: slept, checked, done, succeeded",
  ]);
});

Deno.test("cancelAtEveryWait names the order, seed, wait and moment of a failure", async () => {
  await assertRejects(
    () =>
      cancelAtEveryWait(() => ({
        victim: threeWaits([]),
        check({ wait }) {
          if (wait === 2) throw new Error("leaked");
        },
      })),
    Error,
    "Cancelled at wait 2, when parked, in order fifo, seed 0: Error: leaked",
  );
});
