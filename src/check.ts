/**
 * Argument checks: the one set of them, for every public function.
 *
 * Invariants
 * - A check either gives back what it was given or throws: `TypeError` for the wrong kind,
 *   `RangeError` for the wrong value. The message says what was expected and what came: "Expected
 *   an integer from 1 to 65535, got 70000 (port)".
 * - No value, however hostile, makes a check or `show` throw anything else: proxies, throwing
 *   getters and objects without a prototype are only named by their kind.
 * - A check that passes allocates nothing. Messages are made only where it fails.
 *
 * Independent of: everything else in the package.
 */

/** The longest text of a value that a message shows. */
const MAX_SHOWN = 40;

/** Any value in a few words, for a message. Never throws, and runs no `toString` of the value. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(shorten(value));
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint": // the digits of a large one take long to compute
      return BigInt.asIntN(64, value) === value ? `${value}n` : "a bigint of more than 64 bits";
    case "symbol":
      return shorten(String(value));
    case "function":
      return showFunction(value);
    case "object":
      return value === null ? "null" : showObject(value);
    default:
      return String(value);
  }
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

function showFunction(value: object): string {
  const name = read(value, "name");
  return typeof name === "string" && name !== "" ? `the function ${shorten(name)}` : "a function";
}

function showObject(value: object): string {
  try {
    if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  } catch { // a revoked proxy
    return "an object";
  }
  if (typeof read(value, "then") === "function") return "a promise";
  const tag = read(value, Symbol.toStringTag);
  if (tag === "Generator") return "a generator";
  if (tag === "AsyncGenerator") return "an async generator";
  const made = read(value, "constructor");
  const name = typeof made === "function" ? read(made, "name") : undefined;
  return typeof name === "string" && name !== "" && name !== "Object"
    ? `an object of class ${shorten(name)}`
    : "an object";
}

/** A property, or undefined where reading it throws. */
function read(value: object, key: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

/**
 * The error for a value of the wrong kind. `what` was expected, for the argument or option `name`.
 */
export function wrongKind(what: string, value: unknown, name: string): TypeError {
  return new TypeError(`Expected ${what}, got ${show(value)} (${name})`);
}

/** The error for a value of the right kind that is not one of those allowed. */
export function wrongValue(what: string, value: unknown, name: string): RangeError {
  return new RangeError(`Expected ${what}, got ${show(value)} (${name})`);
}

/**
 * Checks an integer.
 *
 * @param name The argument or option, for the message.
 * @param max `Infinity` allows every safe integer, and `Infinity` itself too with `orInfinity`.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not an integer, or out of the range.
 */
export function checkInteger(
  value: unknown,
  name: string,
  min: number = 0,
  max: number = Infinity,
  orInfinity: boolean = false,
): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  if (orInfinity && value === Infinity) return Infinity;
  const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  const what = `an integer ${range}${orInfinity ? ", or Infinity" : ""}`;
  throw typeof value === "number" ? wrongValue(what, value, name) : wrongKind(what, value, name);
}

/**
 * Checks a number that need not be an integer. NaN is never one; `Infinity` is where `max` is that.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is NaN or out of the range.
 */
export function checkNumber(
  value: unknown,
  name: string,
  min: number = -Infinity,
  max: number = Infinity,
): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  const range = max !== Infinity
    ? `a number from ${min} to ${max}`
    : min !== -Infinity
    ? `a number of at least ${min}`
    : "a number";
  throw typeof value === "number" ? wrongValue(range, value, name) : wrongKind(range, value, name);
}

/**
 * Checks a number that is neither NaN nor infinite.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not finite, or less than `min`.
 */
export function checkFinite(value: unknown, name: string, min: number = -Infinity): number {
  if (Number.isFinite(value) && (value as number) >= min) return value as number;
  const what = `a finite number${min === -Infinity ? "" : ` of at least ${min}`}`;
  throw typeof value === "number" ? wrongValue(what, value, name) : wrongKind(what, value, name);
}

/** Checks a string. @throws {TypeError} If it is none. */
export function checkString(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw wrongKind("a string", value, name);
}

/** Checks a boolean. @throws {TypeError} If it is none. */
export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw wrongKind("a boolean", value, name);
}

/**
 * Checks a callback. Options that may be left out are checked where given.
 *
 * @throws {TypeError} If it is not a function.
 */
export function checkFunction<F>(value: F, name: string, what: string = "a function"): F {
  if (typeof value === "function") return value;
  throw wrongKind(what, value, name);
}

/** Checks an object, functions not included. @throws {TypeError} If it is none. */
export function checkObject<T>(value: T, name: string, what: string = "an object"): T & object {
  if (typeof value === "object" && value !== null) return value;
  throw wrongKind(what, value, name);
}

/**
 * Checks an instance of a class.
 *
 * @throws {TypeError} If it is none.
 */
export function checkInstance<T>(
  value: unknown,
  Class: abstract new (...args: never[]) => T,
  name: string,
): T {
  let is = false;
  try {
    is = value instanceof Class;
  } catch { // a proxy whose prototype cannot be read
  }
  if (is) return value as T;
  throw wrongKind(`an object of class ${Class.name}`, value, name);
}

/**
 * Checks one of a few strings.
 *
 * @throws {TypeError} If it is not a string.
 * @throws {RangeError} If it is another string.
 */
export function checkOneOf<const C extends string>(
  value: unknown,
  name: string,
  choices: readonly C[],
): C {
  if (choices.includes(value as C)) return value as C;
  const what = listOr(choices.map((choice) => JSON.stringify(choice)));
  throw typeof value === "string" ? wrongValue(what, value, name) : wrongKind(what, value, name);
}

function listOr(parts: readonly string[]): string {
  const last = parts[parts.length - 1];
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} or ${last}`;
}

/**
 * Checks a coroutine, an operation, or a function that makes one, where it is given: what the
 * function returns is seen later.
 *
 * @throws {TypeError} If it is none; the message says what to write instead.
 */
export function checkBody<B>(body: B, by: string): B {
  if (typeof body === "function") return body;
  let iterable = false;
  if (typeof body === "object" && body !== null) {
    try {
      iterable = Symbol.iterator in body && !Array.isArray(body);
    } catch { // a proxy that refuses to be looked at
    }
  }
  if (iterable) return body;
  const shown = show(body);
  const hint = shown === "a promise"
    ? ": wrap it in until(promise)"
    : shown === "an async generator"
    ? ": make it a function* with yield* for await"
    : "";
  throw wrongKind("a coroutine or a function* that makes one", body, `${by}()${hint}`);
}

/** What a function gets that was given no options. */
const NO_OPTIONS: object = Object.freeze({});

/**
 * Checks an object of options: every name in it must be known (R40b). What a known one holds is for
 * the caller to check.
 *
 * Only own names count, so an object whose prototype has more, such as an instance of a class, is
 * fine.
 *
 * @param by Whose options, for the message: "TcpListenSocket.listen".
 * @param known The names, in a constant of the module that is made once.
 * @throws {TypeError} If it is not an object, or one of its names is not known.
 */
export function checkOptions<O extends object>(
  options: O | undefined,
  by: string,
  known: readonly (keyof O & string)[],
): O {
  if (options === undefined) return NO_OPTIONS as O;
  if (typeof options !== "object" || options === null) {
    throw wrongKind("an object of options", options, `${by}()`);
  }
  if (Array.isArray(options)) throw wrongKind("an object of options", options, `${by}()`);
  for (const key of Object.keys(options)) {
    if (!known.includes(key as keyof O & string)) {
      throw unknownName("option", key, `${by}()`, known);
    }
  }
  return options;
}

/** The error for a name that is not known: `kind` is "option" of an object of options. */
export function unknownName(
  kind: string,
  key: string,
  where: string,
  known: readonly string[],
): TypeError {
  const nearest = known.length === 0
    ? "it takes none"
    : `the nearest known one is ${JSON.stringify(nearestOf(key, known))}`;
  return new TypeError(`Unknown ${kind} ${JSON.stringify(shorten(key))} of ${where}: ${nearest}`);
}

/**
 * The known name that takes the fewest changes. A change of case counts least, a part left out or
 * added counts as one.
 */
function nearestOf(key: string, known: readonly string[]): string {
  const name = key.slice(0, MAX_SHOWN); // the work is bounded, whatever comes
  let nearest = known[0];
  let fewest = Infinity;
  for (const candidate of known) {
    const changes = changesBetween(name.toLowerCase(), candidate.toLowerCase()) +
      editDistance(name, candidate) / 1000;
    if (changes < fewest) [nearest, fewest] = [candidate, changes];
  }
  return nearest;
}

function changesBetween(from: string, to: string): number {
  const distance = editDistance(from, to);
  const part = Math.min(from.length, to.length) >= 3 && (from.includes(to) || to.includes(from));
  return part ? Math.min(1, distance) : distance;
}

/** How many characters must be added, removed or replaced to get from one text to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[to.length];
}
