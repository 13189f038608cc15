/**
 * transfer: marks a value whose buffers are to be moved to the other side instead of copied.
 */
import { checkObject, wrongKind } from "../check.ts";

/** The marks. Weak: a value that is never sent keeps nothing alive. */
const marks = new WeakMap<object, readonly object[]>();
/** Whether there ever was a mark: calls need not look for any until then. */
let used = false;

/**
 * Marks `value` so that, as an argument of `execute` or as the result of a handler, what it owns is
 * moved to the other thread instead of copied: in no time whatever its size, and gone on this side.
 * Gives the value back. Between processes it is still copied.
 *
 * @param owned What is moved: by default the buffer of a view, or else the value itself.
 * @throws {TypeError} If the value is not an object, or `owned` not an array of objects.
 * @example
 * ```ts
 * import { transfer } from "jsr:@broomio/core/pool";
 *
 * const pixels = new Uint8Array(1_000_000);
 * const argument = transfer(pixels); // yield* pool.execute("blur", transfer(pixels))
 * console.log(argument === pixels); // true
 * ```
 */
export function transfer<T extends object>(value: T, owned?: readonly object[]): T {
  checkObject(value, "transfer()");
  if (owned !== undefined) {
    if (!Array.isArray(owned)) throw wrongKind("an array of objects to move", owned, "owned");
    for (const each of owned) checkObject(each, "owned");
  }
  used = true;
  marks.set(value, owned ?? [ArrayBuffer.isView(value) ? value.buffer : value]);
  return value;
}

/** What is to be moved with these values, or undefined. */
export function transferOf(values: readonly unknown[]): object[] | undefined {
  if (!used) return undefined;
  let all: object[] | undefined;
  for (const value of values) {
    const owned = typeof value === "object" && value !== null ? marks.get(value) : undefined;
    if (owned !== undefined) (all ??= []).push(...owned);
  }
  return all;
}
