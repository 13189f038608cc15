/**
 * R40b: nothing public is forgotten: whatever takes arguments, behind any door, has a row in
 * `calls.ts`, or a reason here why it has none.
 *
 * Data takes no arguments: the rules of `@broomio/core/lint`, policies, headers.
 *
 * Invariant: an entry here that names nothing, or that has a row too, is an error as well.
 */
import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ROWS } from "./calls.ts";

const ERROR = "the library makes it, and gives it what it knows";
const RAW = "takes the raw half of an adapter, which is part of the adapter's contract";
const HOST = "only a loop calls it";

/** What has no row, and why. */
const EXEMPT: Readonly<Record<string, string>> = {
  "new Cancelled": ERROR,
  "new BrokenResourceError": ERROR,
  "new BusyResourceError": ERROR,
  "new ClosedResourceError": ERROR,
  "new DeadlockError": ERROR,
  "new EndOfChannel": ERROR,
  "new NurseryError": ERROR,
  "new RetryError": ERROR,
  "new TaskCancelledError": ERROR,
  "new TimeoutError": ERROR,
  "new WebSocketError": ERROR,
  "new LimitError": ERROR,
  "new SocketError": ERROR,
  "new ProcessError": ERROR,
  "new ProcessStartError": ERROR,
  "new PoolFullError": ERROR,
  "new WorkerError": ERROR,
  "new ExplorationError": ERROR,
  "new LeakError": ERROR,
  "new NeverReachedError": ERROR,
  "new NondeterminismError": ERROR,
  "new OutsideError": ERROR,
  "new StepLimitError": ERROR,
  "new ListenSocket": RAW,
  "new Socket": RAW,
  "new TcpClientSocket": RAW,
  "new TcpListenSocket": RAW,
  "new TlsClientSocket": RAW,
  "new TlsListenSocket": RAW,
  "new UdpSocket": RAW,
  "new UnixClientSocket": RAW,
  "new UnixListenSocket": RAW,
  "new ProcessInput": RAW,
  "new ProcessOutput": RAW,
  "new Process": "private: `Process.start` makes it",
  main: "what is valid may end the program; tests/os/main_test.ts gives it wrong values",
  "VirtualClock.attach": HOST,
  "VirtualClock.warn": HOST,
};

/** A function, constructor, method or setter, named as its row is. */
interface Callable {
  readonly name: string;
  /** Its source. */
  readonly source: string;
}

type AnyFunction = (...args: unknown[]) => unknown;

const sourceOf = (value: AnyFunction) => Function.prototype.toString.call(value);

/** What an export offers to call. An object of functions counts as a class does. */
function* callablesOf(name: string, value: unknown): Generator<Callable> {
  if (typeof value === "object" && value !== null) return yield* membersOf(name, value);
  if (typeof value !== "function") return;
  const source = sourceOf(value as AnyFunction);
  if (!source.startsWith("class")) return yield { name, source };
  yield { name: `new ${name}`, source: constructorOf(value as AnyFunction) };
  yield* membersOf(name, value);
  yield* membersOf(name, value.prototype);
}

/** The functions and setters that an object has itself. */
function* membersOf(name: string, object: object): Generator<Callable> {
  for (const [key, { value, set }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
    if (key === "constructor" || key === "prototype") continue;
    if (typeof value === "function") yield { name: `${name}.${key}`, source: sourceOf(value) };
    if (set !== undefined) yield { name: `${name}.${key} =`, source: "(value)" };
  }
}

/** The source of a class from its constructor on, be that its own or an inherited one. */
function constructorOf(Class: AnyFunction): string {
  const source = sourceOf(Class);
  const start = source.search(/\bconstructor\s*\(/);
  if (start >= 0) return source.slice(start);
  const Parent = Object.getPrototypeOf(Class) as AnyFunction;
  if (Parent === Function.prototype) return "()";
  return sourceOf(Parent).includes("[native code]") ? "(message)" : constructorOf(Parent);
}

/** `length` does not count parameters that may be left out. */
const takesArguments = ({ source }: Callable) => !/^[^(]*\(\s*\)/.test(source);

const CALLABLES = new Map<string, Callable[]>();
for (const [door, path] of Object.entries(config.exports)) {
  const exported = await import(new URL(`../../${path}`, import.meta.url).href);
  const all = Object.entries(exported).flatMap(([name, value]) => [...callablesOf(name, value)]);
  CALLABLES.set(door === "." ? "core" : door.slice(2), all.filter(takesArguments));
}

const ROW_NAMES = new Set(Object.values(ROWS).flat().map(({ name }) => name));

Deno.test("R40b: each function, constructor, method and setter of each door has a row, or a reason", () => {
  const missing = [...CALLABLES].flatMap(([door, callables]) =>
    callables
      .filter(({ name }) => !ROW_NAMES.has(name) && !Object.hasOwn(EXEMPT, name))
      .map(({ name }) => `${door}: ${name}`)
  );
  assertEquals(missing, []);
});

Deno.test("R40b: each exemption names something public that has no row", () => {
  const names = new Set([...CALLABLES.values()].flat().map(({ name }) => name));
  const idle = Object.keys(EXEMPT).filter((name) => !names.has(name) || ROW_NAMES.has(name));
  assertEquals(idle, []);
});
