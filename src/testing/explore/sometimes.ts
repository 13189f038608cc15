/**
 * sometimes: says that a state is worth reaching, so that an exploration that never reaches it
 * fails.
 *
 * Invariant: outside of an exploration it does nothing and keeps nothing.
 */
import { checkString } from "../../check.ts";

/** Whether each name that was seen has been true, in the exploration that runs now. */
let seen: Map<string, boolean> | null = null;

/**
 * Says that `condition` should be true in some schedule. In a program that `explore` runs, a name
 * that was told of and never was true fails the exploration: so a test cannot pass because it never
 * comes to the interesting state. Elsewhere it does nothing.
 *
 * @param name What state that is: "the buffer was full".
 * @throws {TypeError} If the name is no string.
 * @example
 * ```ts
 * import { checkpoint, Nursery } from "jsr:@broomio/core";
 * import { explore, sometimes } from "jsr:@broomio/core/testing";
 *
 * await explore(() => {
 *   let running = 0;
 *   function* job() {
 *     running++;
 *     sometimes(running === 2, "both jobs run at once");
 *     yield* checkpoint();
 *     running--;
 *   }
 *   return Nursery.open(function* (nursery) {
 *     nursery.startSoon(job());
 *     nursery.startSoon(job());
 *   });
 * });
 * ```
 */
export function sometimes(condition: boolean, name: string): void {
  checkString(name, "name");
  if (seen === null) return;
  if (condition) seen.set(name, true);
  else if (!seen.has(name)) seen.set(name, false);
}

/** Has the names kept in `names` until the next call; null where no exploration runs. */
export function keepSometimes(names: Map<string, boolean> | null): void {
  seen = names;
}
