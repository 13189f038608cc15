/**
 * What workers of the hostile tests run: handlers that give back, throw and post what cannot be
 * handled.
 */
import { checkpoint } from "../../mod.ts";

const throwing = (message: string) => ({
  get: () => {
    throw new Error(message);
  },
  enumerable: true,
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circular(): Error {
  const error = new AggregateError([], "circular");
  error.cause = error;
  for (let i = 0; i < 10; i++) error.errors.push(error);
  return error;
}

/** What no worker can send as it is, and what is easily sent wrong. */
const VALUES: Record<string, () => unknown> = {
  symbol: () => Symbol("s"),
  function: () => () => 1,
  getter: () => Object.defineProperty({}, "x", throwing("boo")),
  proxy: () =>
    new Proxy({}, {
      ownKeys() {
        throw new Error("trap");
      },
      getPrototypeOf() {
        throw new Error("trap");
      },
    }),
  revoked,
  "without prototype": () => Object.create(null),
  promise: () => ({ inner: Promise.resolve() }),
  "detached buffer": () => {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  },
  "symbol as a name": () => Object.assign(new Error("m"), { name: Symbol("n") }),
  "throwing message": () => Object.defineProperty(new Error("m"), "message", throwing("boo")),
  "throwing field": () => Object.defineProperty(new Error("m"), "x", throwing("boo")),
  "throwing stack": () => Object.defineProperty(new Error("m"), "stack", throwing("boo")),
  "errors that are none": () => Object.assign(new AggregateError([], "m"), { errors: 5 }),
  "strange fields": () => {
    const error = Object.assign(new Error("m"), { toString: 1, code: "E", fn() {} });
    return Object.defineProperty(error, "__proto__", { value: 1, enumerable: true });
  },
  circular,
};

export const names = (): string[] => Object.keys(VALUES);
export const gives = (name: string): unknown => VALUES[name]();
export const resolves = (name: string): Promise<unknown> => Promise.resolve(VALUES[name]());
export function* returns(name: string) {
  yield* checkpoint();
  return VALUES[name]();
}
export function throws(name: string): never {
  throw VALUES[name]();
}
export const rejects = (name: string): Promise<never> => Promise.reject(VALUES[name]());
export function* fails(name: string) {
  yield* checkpoint();
  throw VALUES[name]();
}

type Settle = (value: unknown) => void;
const THENABLES: Record<string, (resolve: Settle, reject: Settle) => void> = {
  twice(resolve, reject) {
    resolve(1);
    resolve(2);
    reject(3);
  },
  thenThrows(resolve) {
    resolve(1);
    throw new Error("late");
  },
  throws() {
    throw new Error("then");
  },
};
export const thenable = (name: string): unknown => ({ then: THENABLES[name] });
export const throwingThen = (): unknown => Object.defineProperty({}, "then", throwing("then"));

/** Posts to the parent, as a library in a worker may, and then answers. */
export async function post(...messages: unknown[]): Promise<string> {
  const { default: process } = await import("node:process");
  const { parentPort } = await import("node:worker_threads");
  for (const message of messages) {
    if (parentPort !== null) parentPort.postMessage(message);
    else process.send?.(message as object);
  }
  return "answered";
}

export const echo = (value: unknown): unknown => value;
export const later = (milliseconds: number): Promise<number> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds, milliseconds));
