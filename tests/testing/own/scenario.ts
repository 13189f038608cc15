/** What is explored of our own: small programs around one primitive each, whose `check` must hold whoever was cancelled, and when. */
import type { Program } from "../../../src/testing/mod.ts";

/** One program. */
export interface Scenario {
  readonly name: string;
  readonly program: Program;
  /** It awaits something from outside, so that far fewer schedules of it can be run. */
  readonly slow?: boolean;
  readonly autojump?: "always";
}

/** Throws where two values are not the same. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}
