/**
 * The options that every primitive of this folder takes.
 */
import { checkOptions } from "../check.ts";
import { titleOf } from "../kernel/title.ts";

/**
 * Options that every primitive takes.
 *
 * @example
 * ```ts
 * import { Event, Loop, type SyncOptions } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const options: SyncOptions = { name: "door open" };
 * const opened = new Event(options);
 * // The name is in the report of the deadlock: nobody is going to set it.
 * await assertRejects(() => new Loop().run(opened.wait()), Error, "door open");
 * ```
 */
export interface SyncOptions {
  /** For messages and deadlock reports. */
  name?: string;
}

const KNOWN = ["name"] as const;

/** Checks the options of a primitive that has no others, and gives its title for messages. */
export function titleFrom(kind: string, Class: string, options: SyncOptions | undefined): string {
  return titleOf(kind, checkOptions(options, Class, KNOWN).name);
}
