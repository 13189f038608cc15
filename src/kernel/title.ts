/**
 * What messages and deadlock reports call a lock, a channel and their kind (R7).
 *
 * Independent of: what has the title.
 */
import { checkString } from "../check.ts";

/** `lock "accounts"`; `a lock` where it was given no name. */
export function titleOf(kind: string, name: string | undefined): string {
  if (name !== undefined && checkString(name, "name") !== "") {
    return `${kind} ${JSON.stringify(name)}`;
  }
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}
