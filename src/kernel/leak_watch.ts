/**
 * LeakWatch: what is told of things that are left behind, for tests. Where no test asks, a
 * scheduler has none, and nothing is kept.
 *
 * Independent of: what is left, and what a test makes of it.
 */
import type { Task } from "./task.ts";

/** Told by whatever has to be closed or given back. */
export interface LeakWatch {
  /** A task has ended while it owned something: "lock "db"". */
  abandoned(what: string, owner: Task): void;
  /** Something was opened that has to be closed. */
  opened(resource: object, what: string): void;
  /** It was closed. */
  closed(resource: object): void;
}
