/**
 * Wrong values of every kind, and the kinds of arguments that public functions take.
 *
 * Invariant: each value is made anew for each use, because some are used up or changed.
 */

/** How the messages of errors begin that hostile values throw. */
export const TRAP = "the trap ";

const throwing = (what: string) => () => {
  throw new Error(TRAP + what);
};

/** A proxy whose every trap throws. */
function throwingProxy(): object {
  const traps: Record<string, () => never> = {};
  for (const name of Object.getOwnPropertyNames(Reflect)) traps[name] = throwing(name);
  return new Proxy({}, traps as ProxyHandler<object>);
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function finishedGenerator(): Generator {
  const generator = function* () {}();
  generator.next();
  return generator;
}

/** By name, so that a failure can say which. */
export const WRONG = {
  undefined: () => undefined,
  null: () => null,
  NaN: () => NaN,
  "-1": () => -1,
  "0.5": () => 0.5,
  "1e300": () => 1e300,
  Infinity: () => Infinity,
  "2n": () => 2n,
  true: () => true,
  "an empty string": () => "",
  "a string": () => "text",
  "a huge string": () => "x".repeat(1_000_000),
  "a string with NUL": () => "a\0b",
  "a symbol": () => Symbol("wrong"),
  "an object": () => ({}),
  "an object without a prototype": () => Object.create(null),
  "an object with hostile conversions": () => ({
    toString: throwing("toString"),
    valueOf: throwing("valueOf"),
    [Symbol.toPrimitive]: throwing("toPrimitive"),
  }),
  "an empty array": () => [],
  "an array": () => [1, "two", null],
  "a Map": () => new Map([[1, 2]]),
  "an invalid date": () => new Date(NaN),
  "bytes": () => new Uint8Array(3),
  "a function": () => () => {},
  "an async function": () => async () => {},
  "a class": () => class Wrong {},
  "a revoked function": () => revoked(() => {}),
  "a promise": () => Promise.resolve(),
  "a finished generator": finishedGenerator,
  "an async generator": () => async function* () {}(),
  "a hostile iterable": () => ({ [Symbol.iterator]: throwing("iterator") }),
  "a throwing proxy": throwingProxy,
  "a revoked proxy": () => revoked({}),
} satisfies Record<string, () => unknown>;

/** The name of a wrong value. */
export type WrongName = keyof typeof WRONG;

/** All of them. */
export const WRONG_NAMES = Object.keys(WRONG) as WrongName[];

/** A kind of argument: a valid value, and the names of wrong values that are not wrong for it. */
export interface Kind {
  valid(): unknown;
  readonly accepts: ReadonlySet<WrongName>;
  /** For an object of options: the kind of each option. */
  readonly options?: Readonly<Record<string, Kind>>;
}

function kind(valid: () => unknown, ...accepts: WrongName[]): Kind {
  return { valid, accepts: new Set(accepts) };
}

/** Functions of all kinds. */
export const FUNCTIONS = [
  ...["a function", "an async function", "a class", "a revoked function"] as const,
];
/** Strings of all kinds. */
export const STRINGS = [
  ...["an empty string", "a string", "a huge string", "a string with NUL"] as const,
];
/** They have no own names, so as options they are as good as none; but for proxies. */
export const OBJECTS = WRONG_NAMES.filter((name) => {
  const value = WRONG[name]();
  return typeof value === "object" && value !== null && !name.endsWith("proxy") &&
    !name.endsWith("array") && name !== "bytes" && name !== "an object with hostile conversions";
});

export const anything = kind(() => 1, ...WRONG_NAMES);
export const duration = kind(() => 0.001, "0.5", "1e300", "Infinity");
export const deadline = kind(() => 1, "-1", "0.5", "1e300", "Infinity");
export const positive = kind(() => 1);
export const positiveOrInfinity = kind(() => 1, "Infinity");
export const seed = kind(() => 1, "-1");
export const text = kind(() => "name", ...STRINGS);
export const flag = kind(() => true, "true");
export const callback = kind(() => () => {}, ...FUNCTIONS);
export const bytes = kind(() => new Uint8Array(8), "bytes");

/** A function that makes a coroutine, or a coroutine: what it gives is checked when it is run. */
export const body = kind(
  () => function* () {},
  ...FUNCTIONS,
  "a Map",
  "bytes",
  "a finished generator",
  "a hostile iterable",
);
/** A coroutine, not a function that makes one. */
export const coroutine = kind(
  () => function* () {}(),
  "a Map",
  "bytes",
  "a finished generator",
  "a hostile iterable",
);

/** One that may be left out. */
export function optional(of: Kind): Kind {
  return { ...of, accepts: new Set([...of.accepts, "undefined"]) };
}

/** One of some strings. */
export const oneOf = (first: string): Kind => kind(() => first);

/** An instance of something: nothing else will do. */
export const instance = (valid: () => unknown, ...accepts: WrongName[]): Kind =>
  kind(valid, ...accepts);

/** An object of options. All of them may be left out, except for those that are `required`. */
export function options(
  kinds: Record<string, Kind>,
  valid: () => Record<string, unknown> = () => ({}),
  ...required: string[]
): Kind {
  const all = Object.entries(kinds).map(([name, of]) => [
    name,
    required.includes(name) ? of : optional(of),
  ]);
  return {
    valid,
    accepts: new Set<WrongName>(required.length === 0 ? ["undefined", ...OBJECTS] : []),
    options: Object.fromEntries(all),
  };
}
