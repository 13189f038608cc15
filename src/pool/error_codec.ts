/**
 * Errors on their way between threads: class name, message, stack, cause and fields.
 *
 * Invariant: neither direction throws, whatever was thrown: `throw Object.create(null)`, an error
 * whose `message` throws, an `AggregateError` that contains itself. What `encodeError` gives can be
 * cloned.
 *
 * Rejected: leaving it to the structured clone. That makes a plain `Error` of every class it does
 * not know, drops fields such as `code`, and fails as a whole where one field cannot be cloned.
 */
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  TimeoutError,
} from "../kernel/errors.ts";
import { isCloneable, nameUncloneable } from "./clone.ts";
import type { EncodedError, ErrorData } from "./protocol.ts";
import { WorkerError } from "./worker_error.ts";

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** The classes that both sides know; made with a message and options. */
const CLASSES: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError],
  ...[TimeoutError, BrokenResourceError, BusyResourceError, ClosedResourceError, WorkerError],
].map((Class) => [Class.prototype.name, Class]));

/** Causes and inner errors deeper than this are left out. */
const MAX_DEPTH = 10;
/** Inner errors beyond this many in all are left out: errors that share theirs may multiply. */
const MAX_ERRORS = 1_000;

/** What was thrown, as it is sent. */
export function encodeError(thrown: unknown): EncodedError {
  return new Encoder().encode(thrown);
}

/** Encodes one thrown value. */
class Encoder {
  /** The errors around the one that is encoded: one that contains itself is not entered again. */
  readonly #path: Error[] = [];
  #count = 0;

  encode(thrown: unknown): EncodedError {
    if (attempt(() => thrown instanceof Error, false)) {
      return { kind: "error", error: this.#dataOf(thrown as Error) };
    }
    if (isCloneable(thrown)) return { kind: "value", value: thrown };
    const what = nameUncloneable(thrown, "what was thrown") ?? "what was thrown cannot be cloned";
    return this.encode(new TypeError(`The worker threw what cannot be sent: ${what}`));
  }

  #dataOf(error: Error): ErrorData {
    this.#count++;
    const base = attempt(() => baseOf(error), "Error");
    const enter = this.#path.length < MAX_DEPTH && !this.#path.includes(error);
    this.#path.push(error);
    const cause = enter ? attempt(() => error.cause, undefined) : undefined;
    const data: ErrorData = {
      base,
      name: attempt(() => nameOf(error, base), base),
      message: attempt(() => String(error.message), "(its message cannot be read)"),
      stack: attempt(() => typeof error.stack === "string" ? error.stack : undefined, undefined),
      cause: cause === undefined ? undefined : this.encode(cause),
      errors: base === "AggregateError" && enter ? this.#innerErrors(error) : undefined,
      fields: fieldsOf(error),
    };
    this.#path.pop();
    return data;
  }

  #innerErrors(error: Error): EncodedError[] {
    const encoded: EncodedError[] = [];
    for (const inner of attempt(() => [...(error as AggregateError).errors], [])) {
      if (this.#count >= MAX_ERRORS) break;
      encoded.push(this.encode(inner));
    }
    return encoded;
  }
}

function fieldsOf(error: Error): [string, unknown][] {
  const fields: [string, unknown][] = [];
  for (const key of attempt(() => Object.keys(error), [])) {
    if (SENT_APART.has(key)) continue;
    const value = attempt(() => (error as unknown as Record<string, unknown>)[key], UNREADABLE);
    if (isCloneable(value)) fields.push([key, value]);
  }
  return fields;
}

/** Cannot be cloned, so it is left out like all that cannot. */
const UNREADABLE = Symbol("unreadable");

/** Sent apart from the other fields. */
const SENT_APART: ReadonlySet<string> = new Set(["name", "message", "stack", "cause", "errors"]);

function nameOf(error: Error, base: string): string {
  return error.name === base ? error.constructor?.name || base : String(error.name);
}

function baseOf(error: Error): string {
  for (let prototype: object | null = error; prototype !== null;) {
    prototype = Object.getPrototypeOf(prototype) as object | null;
    if (prototype === AggregateError.prototype) return "AggregateError";
    for (const [name, Class] of CLASSES) if (Class.prototype === prototype) return name;
  }
  return "Error"; // of another realm
}

/**
 * What `read` gives, or `otherwise` where it throws: what was thrown may have getters that throw.
 */
function attempt<T, U>(read: () => T, otherwise: U): T | U {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** What was thrown, as the other side threw it. */
export function decodeError(encoded: EncodedError): unknown {
  try {
    return encoded.kind === "value" ? encoded.value : errorOf(encoded.error);
  } catch (cause) {
    return new WorkerError("The worker answered with an error that cannot be read", { cause });
  }
}

function errorOf(data: ErrorData): Error {
  const options = data.cause === undefined ? undefined : { cause: decodeError(data.cause) };
  const error = data.base === "AggregateError"
    ? new AggregateError((data.errors ?? []).map(decodeError), data.message, options)
    : new (CLASSES.get(data.base) ?? Error)(data.message, options);
  for (const [key, value] of data.fields) {
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
