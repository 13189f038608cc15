/**
 * What cannot be cloned, by name. Used only once something has failed: cloning is tried piece by
 * piece to find which piece it is.
 *
 * Invariant: nothing here throws, whatever it is given: values come with getters that throw and
 * proxies.
 */

/** Whether `value` can be sent to a worker by copying it. */
export function isCloneable(value: unknown): boolean {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) {
    return typeof value !== "symbol";
  }
  try {
    (globalThis as unknown as { structuredClone(value: unknown): unknown }).structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * The innermost part of `value` that cannot be cloned, as in "args[0].onDone is a function";
 * undefined where none is found.
 */
export function nameUncloneable(value: unknown, path: string): string | undefined {
  const seen = new Set<unknown>();
  try {
    while (!isCloneable(value) && !seen.has(value)) {
      seen.add(value);
      const part = partsOf(value).find(([, part]) =>
        part instanceof Unreadable || (!isCloneable(part) && !seen.has(part))
      );
      if (part === undefined) return `${path} is ${describe(value)}`;
      path += part[0];
      value = part[1];
      if (value instanceof Unreadable) return `${path} cannot be read: ${textOf(value.error)}`;
    }
  } catch {
    return `${path} is an object that cannot be looked at`;
  }
  return undefined;
}

/** Stands for a part whose getter throws. */
class Unreadable {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** What cloning `value` clones too, each with what leads to it. */
function partsOf(value: unknown): [path: string, part: unknown][] {
  if (typeof value !== "object" || value === null) return [];
  if (value instanceof Map) {
    return [...value].flatMap(([key, part]): [string, unknown][] => [
      [" (a key of the Map)", key],
      [`.get(${typeof key === "string" ? JSON.stringify(key) : "..."})`, part],
    ]);
  }
  if (value instanceof Set) return [...value].map((part) => [" (in the Set)", part]);
  return Object.keys(value).map((key) => [
    pathOf(key, Array.isArray(value)),
    read(value as Record<string, unknown>, key),
  ]);
}

function pathOf(key: string, inArray: boolean): string {
  if (inArray && /^\d+$/.test(key)) return `[${key}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function read(object: Record<string, unknown>, key: string): unknown {
  try {
    return object[key];
  } catch (error) {
    return new Unreadable(error);
  }
}

function describe(value: unknown): string {
  if (typeof value === "function") return value.name ? `the function ${value.name}` : "a function";
  if (typeof value === "symbol") return String(value);
  const name = (value as object).constructor?.name;
  return name ? `an object of class ${name}` : "an object";
}

/** What was thrown, for a message. */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return "an error that cannot be shown";
  }
}

/** The error for something of the user's that could not be sent. */
export function uncloneableError(
  what: string,
  value: unknown,
  root: string,
  cause: unknown,
): Error {
  const reason = nameUncloneable(value, root) ?? textOf(cause);
  return new TypeError(`Cannot send ${what}: ${reason}`, { cause });
}
