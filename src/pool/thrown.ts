/**
 * Errors on their way between threads: class name, message, stack, cause and fields.
 *
 * Invariant: what `encodeThrown` gives can be cloned; `decodeThrown` never throws.
 *
 * Rejected: leaving it to the structured clone, which makes a plain `Error` of every class it does not know, drops fields such as
 * `code`, and fails as a whole where one field cannot be cloned.
 */
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  TimeoutError,
} from "../kernel/errors.ts";
import { isCloneable, nameUncloneable } from "./clone.ts";
import type { ErrorData, Thrown } from "./protocol.ts";
import { WorkerError } from "./worker_error.ts";

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** The classes that both sides know; made with a message and options. */
const CLASSES: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError],
  ...[TimeoutError, BrokenResourceError, BusyResourceError, ClosedResourceError, WorkerError],
].map((Class) => [Class.prototype.name, Class]));

/** Causes further down than this are left out: they may go in circles. */
const DEEPEST_CAUSE = 10;

/** What was thrown, as it is sent. */
export function encodeThrown(thrown: unknown, depth = 0): Thrown {
  if (!(thrown instanceof Error)) {
    if (isCloneable(thrown)) return { kind: "value", value: thrown };
    const what = nameUncloneable(thrown, "what was thrown") ?? "what was thrown cannot be cloned";
    return encodeThrown(new TypeError(`The worker threw what cannot be sent: ${what}`));
  }
  return { kind: "error", error: encodeError(thrown, depth) };
}

function encodeError(error: Error, depth: number): ErrorData {
  const deeper = (cause: unknown): Thrown => encodeThrown(cause, depth + 1);
  const aggregate = error instanceof AggregateError && depth < DEEPEST_CAUSE;
  const base = baseOf(error);
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (!(key in KNOWN_FIELDS) && isCloneable(value)) fields[key] = value;
  }
  return {
    base,
    name: error.name === base ? error.constructor?.name || base : String(error.name),
    message: String(error.message),
    stack: typeof error.stack === "string" ? error.stack : undefined,
    cause: error.cause === undefined || depth >= DEEPEST_CAUSE ? undefined : deeper(error.cause),
    errors: aggregate ? error.errors.map(deeper) : undefined,
    fields,
  };
}

/** Sent apart from the other fields. */
const KNOWN_FIELDS = { name: 0, message: 0, stack: 0, cause: 0, errors: 0 };

function baseOf(error: Error): string {
  for (let prototype: object = error; prototype !== null;) {
    prototype = Object.getPrototypeOf(prototype);
    if (prototype === AggregateError.prototype) return "AggregateError";
    for (const [name, Class] of CLASSES) if (Class.prototype === prototype) return name;
  }
  return "Error"; // of another realm
}

/** What was thrown, as the other side threw it. */
export function decodeThrown(thrown: Thrown): unknown {
  return thrown.kind === "value" ? thrown.value : decodeError(thrown.error);
}

function decodeError(data: ErrorData): Error {
  const options = data.cause === undefined ? undefined : { cause: decodeThrown(data.cause) };
  const error = data.base === "AggregateError"
    ? new AggregateError((data.errors ?? []).map(decodeThrown), data.message, options)
    : new (CLASSES.get(data.base) ?? Error)(data.message, options);
  for (const [key, value] of Object.entries(data.fields)) {
    Object.defineProperty(error, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  const hidden = { enumerable: false, configurable: true, writable: true };
  if (error.name !== data.name) {
    Object.defineProperty(error, "name", { value: data.name, ...hidden });
  }
  if (data.stack !== undefined) {
    Object.defineProperty(error, "stack", { value: data.stack, ...hidden });
  }
  return error;
}
