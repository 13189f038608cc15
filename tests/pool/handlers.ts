/**
 * What the workers of the tests run.
 */
import { Cancelled, currentTask, Nursery, shield, sleep, type Task } from "../../mod.ts";
import { transfer } from "../../src/pool/mod.ts";

export function add(a: number, b: number): number {
  return a + b;
}

export async function later(value: string, milliseconds: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return value;
}

export function* nap(seconds: number) {
  yield* sleep(seconds);
  return `slept ${seconds}`;
}

/** Busy for a while; deaf meanwhile. */
export function spin(milliseconds: number): number {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return milliseconds;
}

export function forever(): never {
  for (;;);
}

/** Says in `flags` when it has begun (0) and that its cleanup has run to its end (1). */
export function* guarded(flags: Int32Array) {
  Atomics.store(flags, 0, 1);
  try {
    yield* sleep(60);
  } catch (error) {
    if (error instanceof Cancelled && error.reason === "enough") Atomics.store(flags, 2, 1);
    throw error;
  } finally {
    yield* shield(sleep(0.02));
    Atomics.store(flags, 1, 1);
  }
}

export class HashError extends TypeError {
  code = "EHASH";
  onDone = () => {};
}

export function fail(message: string): never {
  throw new HashError(message, { cause: new RangeError("the cause") });
}

export function throwValue(value: unknown): never {
  throw value;
}

export function throwUncloneable(): never {
  throw { message: "odd", retry: () => {} };
}

export function* failLater(message: string) {
  yield* sleep(0.001);
  throw new AggregateError([new Error("one"), new RangeError("two")], message);
}

export function giveFunction() {
  return { list: [1, { callback: function onDone() {} }] };
}

/** Ends its own worker, thread or process. */
export async function exit(code: number): Promise<void> {
  const { default: process } = await import("node:process");
  process.exit(code);
}

/** Throws where nobody catches. */
export function crash(): Promise<void> {
  setTimeout(() => {
    throw new RangeError("nobody catches this");
  }, 1);
  return new Promise(() => {});
}

export async function processId(): Promise<number> {
  const { default: process } = await import("node:process");
  return process.pid;
}

export function count(shared: Int32Array): number {
  return Atomics.add(shared, 0, 1);
}

export function fill(bytes: Uint8Array, value: number): Uint8Array {
  return transfer(bytes.fill(value));
}

/** Different for each worker. */
const own = Math.random();
export function whoAmI(): number {
  return own;
}

export const notAFunction = 1;

/** Waits for what only its own end could bring. */
export function* deadlocked() {
  const task: Task = yield* currentTask();
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(task.join());
  });
}

/** The same, deaf to cancels. */
export function* deadlockedForGood() {
  yield* shield(deadlocked());
}
