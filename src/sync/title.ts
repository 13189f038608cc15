/**
 * How primitives are called in messages and deadlock reports (R7).
 */

/** Options that every primitive takes. */
export interface SyncOptions {
  /** For messages and deadlock reports. */
  name?: string;
}

/** `lock "accounts"`; `a lock` where it was given no name. */
export function titleOf(kind: string, { name }: SyncOptions): string {
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`name is a string, not ${typeof name}`);
  }
  if (name) return `${kind} ${JSON.stringify(name)}`;
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}
