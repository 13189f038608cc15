import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkBody,
  checkBoolean,
  checkFinite,
  checkFunction,
  checkInstance,
  checkInteger,
  checkNumber,
  checkObject,
  checkOneOf,
  checkOptions,
  checkString,
  show,
} from "../src/check.ts";

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const throwing = () => {
  throw new Error("trap");
};

/** A proxy whose every trap throws. */
const hostile = new Proxy({}, new Proxy({}, { get: () => throwing }));

Deno.test("R11: show names any value in a few words, and runs none of its code", () => {
  class Account {}
  function* work() {}
  const long = "x".repeat(1000);
  const shown: [unknown, string][] = [
    ["text", '"text"'],
    [long, JSON.stringify(`${"x".repeat(40)}...`)],
    [-0, "-0"],
    [NaN, "NaN"],
    [2n, "2n"],
    [10n ** 1000n, "a bigint of more than 64 bits"],
    [Symbol("name"), "Symbol(name)"],
    [undefined, "undefined"],
    [null, "null"],
    [[], "an empty array"],
    [[1], "an array"],
    [{}, "an object"],
    [Object.create(null), "an object"],
    [new Account(), "an object of class Account"],
    [Account, "the function Account"],
    [() => {}, "a function"],
    [Promise.resolve(), "a promise"],
    [work(), "a generator"],
    [{
      get constructor(): never {
        throw new Error();
      },
    }, "an object"],
    [Object.defineProperty(() => {}, "name", { get: throwing }), "a function"],
    [revoked({}), "an object"],
    [revoked([]), "an object"],
    [hostile, "an object"],
  ];
  for (const [value, text] of shown) assertEquals(show(value), text);
});

Deno.test("a wrong integer is a RangeError, what is no number a TypeError", () => {
  assertEquals(checkInteger(80, "port", 1, 65535), 80);
  assertThrows(
    () => checkInteger(70000, "port", 1, 65535),
    RangeError,
    "Expected an integer from 1 to 65535, got 70000 (port)",
  );
  assertThrows(() => checkInteger(0.5, "max", 1), RangeError, "an integer of at least 1, got 0.5");
  assertThrows(() => checkInteger("80", "port", 1, 65535), TypeError, 'got "80" (port)');
  assertThrows(() => checkInteger(2n, "max"), TypeError, "got 2n");
  assertEquals(checkInteger(Infinity, "max", 0, Infinity, true), Infinity);
  assertThrows(() => checkInteger(Infinity, "max"), RangeError, "got Infinity");
  assertThrows(() => checkInteger(NaN, "max", 0, Infinity, true), RangeError, ", or Infinity, got");
});

Deno.test("a number is never NaN, and infinite only where nothing bounds it", () => {
  assertEquals(checkNumber(Infinity, "multiplier", 1), Infinity);
  assertThrows(() => checkNumber(NaN, "multiplier", 1), RangeError, "a number of at least 1, got");
  assertThrows(() => checkNumber(2, "jitter", 0, 1), RangeError, "from 0 to 1, got 2 (jitter)");
  assertThrows(() => checkNumber(null, "jitter"), TypeError, "Expected a number, got null");
});

Deno.test("a finite number is neither NaN nor infinite", () => {
  assertEquals(checkFinite(-1.5, "start"), -1.5);
  assertThrows(() => checkFinite(NaN, "start"), RangeError, "a finite number, got NaN (start)");
  assertThrows(() => checkFinite(Infinity, "x", 0), RangeError, "of at least 0, got Infinity (x)");
  assertThrows(() => checkFinite(-1, "seconds", 0), RangeError, "of at least 0, got -1");
  assertThrows(() => checkFinite("1", "seconds"), TypeError, 'a finite number, got "1" (seconds)');
});

Deno.test("checks of a kind name what was expected and what came", () => {
  assertThrows(() => checkString(5, "name"), TypeError, "Expected a string, got 5 (name)");
  assertThrows(() => checkBoolean("no", "noDelay"), TypeError, 'a boolean, got "no" (noDelay)');
  assertThrows(
    () => checkFunction({}, "onRetry"),
    TypeError,
    "a function, got an object (onRetry)",
  );
  assertThrows(() => checkObject(null, "borrower"), TypeError, "an object, got null (borrower)");
  assertThrows(() => checkInstance({}, Date, "when"), TypeError, "an object of class Date, got an");
  assertThrows(() => checkInstance(hostile, Date, "when"), TypeError, "got an object");
  const choices = ["skip", "queue"] as const;
  assertEquals(checkOneOf("skip", "overlap", choices), "skip");
  assertThrows(() => checkOneOf("ski", "overlap", choices), RangeError, '"skip" or "queue", got');
  assertThrows(() => checkOneOf(1, "overlap", choices), TypeError, "got 1 (overlap)");
});

Deno.test("R2: a body is a coroutine, an operation or a function that makes one", () => {
  function* work() {}
  checkBody(work, "call");
  checkBody(work(), "call");
  assertThrows(() => checkBody([], "call"), TypeError, "got an empty array (call())");
  assertThrows(() => checkBody(Promise.resolve(), "call"), TypeError, "until(promise)");
  assertThrows(() => checkBody(hostile, "call"), TypeError, "got an object (call())");
  assertThrows(() => checkBody("text", "call"), TypeError, 'got "text" (call())');
});

Deno.test("R40b: an unknown option names the nearest known one", () => {
  const known = ["clientCa", "cert", "alpnProtocols"] as const;
  const check = (options: object) => checkOptions(options, "listen", known as never);
  const given = { cert: "x" };
  assertEquals(check(given), given);
  assertEquals(checkOptions(undefined, "listen", []), {});
  assertThrows(
    () => check({ clientCA: "x" }),
    TypeError,
    'Unknown option "clientCA" of listen(): the nearest known one is "clientCa"',
  );
  assertThrows(() => check({ alpn: [] }), TypeError, '"alpnProtocols"');
  assertThrows(() => check({ ["x".repeat(1e6)]: 1 }), TypeError, "the nearest known one");
  assertThrows(
    () => checkOptions({ x: 1 } as object, "close", []),
    TypeError,
    'Unknown option "x" of close(): it takes none',
  );
});

Deno.test("R40b: what is no object of options is refused as that", () => {
  for (const wrong of [null, 5, "text", [], () => {}, Symbol()]) {
    assertThrows(
      () => checkOptions(wrong as unknown as object, "listen", []),
      TypeError,
      "Expected an object of options, got",
    );
  }
});

Deno.test("R11: whatever is given, a check throws a TypeError or RangeError, or passes it on", () => {
  const checks: ((value: unknown) => unknown)[] = [
    (value) => checkInteger(value, "x"),
    (value) => checkNumber(value, "x", 0, 1),
    (value) => checkFinite(value, "x"),
    (value) => checkString(value, "x"),
    (value) => checkBoolean(value, "x"),
    (value) => checkFunction(value, "x"),
    (value) => checkObject(value, "x"),
    (value) => checkInstance(value, Map, "x"),
    (value) => checkOneOf(value, "x", ["a"]),
    (value) => checkBody(value, "x"),
  ];
  const hostiles = [hostile, revoked({}), revoked([]), revoked(() => {}), Symbol.iterator];
  const anything = fc.oneof(
    fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true })
      .map((value) => () => value),
    fc.nat(hostiles.length - 1).map((i) => () => hostiles[i]), // which fast-check must not touch
  );
  fc.assert(fc.property(anything, (make) => {
    const value = make();
    for (const check of checks) {
      try {
        assertEquals(Object.is(check(value), value), true);
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      }
    }
  }));
});
