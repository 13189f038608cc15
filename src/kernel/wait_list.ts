/**
 * WaitList: who waits, in order of arrival. The fair list under every primitive.
 *
 * Invariant: an entry is in at most one list, and its links are null while it is in none. The wait
 * itself is the node, so that parking, waking the first and cancelling one in the middle are O(1)
 * and allocate nothing. Independent of: what is waited for.
 */
import type { TaskCore } from "./task.ts";
import { Wait } from "./wait.ts";

/** What a list links. */
export interface Entry {
  ahead: Entry | null;
  behind: Entry | null;
}

/** A doubly linked list of entries. */
export class WaitList<E extends Entry> {
  size: number = 0;
  first: E | null = null;
  #last: E | null = null;

  /** Adds an entry at the end. */
  push(entry: E): void {
    const last = this.#last;
    entry.ahead = last;
    if (last === null) this.first = entry;
    else last.behind = entry;
    this.#last = entry;
    this.size++;
  }

  /** Takes the entry that came first, or null where there is none. */
  shift(): E | null {
    const first = this.first;
    if (first === null) return null;
    const second = first.behind as E | null;
    this.first = second;
    if (second === null) this.#last = null;
    else second.ahead = null;
    first.behind = null;
    this.size--;
    return first;
  }

  /** Takes out an entry of this list. */
  remove(entry: E): void {
    const { ahead, behind } = entry as { ahead: E | null; behind: E | null };
    if (ahead === null) this.first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    entry.ahead = entry.behind = null;
    this.size--;
  }
}

/**
 * A wait that is an entry: in its list exactly while it is parked, unless the subclass says
 * otherwise.
 */
export abstract class ListedWait<T> extends Wait<T> implements Entry {
  declare ahead: Entry | null;
  declare behind: Entry | null;

  constructor() {
    super();
    this.ahead = null;
    this.behind = null;
  }

  /** The task that waits; only while it is parked. */
  get waiter(): TaskCore {
    return this.task!;
  }
}
