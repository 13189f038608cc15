/**
 * fromEvent: the events of an EventTarget, or of an emitter as Node has them, as values to wait
 * for.
 *
 * Invariant: a listener is registered exactly while the source is open.
 */
import { checkObject, checkString, wrongKind } from "../check.ts";
import { BufferedSource, type Source } from "./source.ts";

/**
 * What has events as Node's `EventEmitter` has them.
 *
 * @example
 * ```ts
 * import { EventEmitter } from "node:events";
 * import { type EmitterLike, fromEvent, Loop } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // The arguments of the next event.
 * function* once(emitter: EmitterLike, name: string) {
 *   using events = fromEvent(emitter, name);
 *   return (yield* events.next()).value;
 * }
 * const emitter = new EventEmitter();
 * const arrived = new Loop().run(once(emitter, "data"));
 * setTimeout(() => emitter.emit("data", "hello", 5), 10);
 * assertEquals(await arrived, ["hello", 5]);
 * ```
 */
export interface EmitterLike {
  /** Adds a listener. */
  // deno-lint-ignore no-explicit-any -- as emitters are typed
  on(name: string | symbol, listener: (...args: any[]) => void): unknown;
  /** Removes a listener. */
  // deno-lint-ignore no-explicit-any -- as emitters are typed
  off(name: string | symbol, listener: (...args: any[]) => void): unknown;
}

class Events<E> extends BufferedSource<E> {
  readonly #remove: () => void;

  constructor(title: string, add: (arrived: (event: E) => void) => () => void) {
    super(title);
    this.#remove = add((event) => this.arrived(event));
  }

  protected wanted(): void {}

  protected stop(): void {
    this.#remove();
  }
}

/**
 * Listens to an event from now on. Every event is kept until a task asks for it; none is missed
 * while a task is busy.
 *
 * An `EventTarget` gives its event objects. An emitter, such as Node's `EventEmitter`, gives the
 * arguments of each `emit` as an array, as `on` of `node:events` does.
 *
 * @param target An `EventTarget`, or an emitter with `on` and `off`.
 * @param name The event, such as "message".
 * @throws {TypeError} If the target is neither, or the name is no string.
 * @example
 * ```ts
 * import { fromEvent, Loop } from "jsr:@broomio/core";
 *
 * const target = new EventTarget();
 * const clicks = fromEvent(target, "click");
 * target.dispatchEvent(new Event("click"));
 * await new Loop().run(clicks.forEach((event) => {
 *   console.log(event.type); // click
 *   return false; // that was enough: stops listening
 * }));
 * ```
 */
export function fromEvent<E extends Event = Event>(target: EventTarget, name: string): Source<E>;
/** Listens to an event of an emitter from now on; each value is the array of what was emitted. */
export function fromEvent<A extends unknown[] = unknown[]>(
  emitter: EmitterLike,
  name: string | symbol,
): Source<A>;
export function fromEvent(
  target: EventTarget | EmitterLike,
  name: string | symbol,
): Source<unknown> {
  const what = "an EventTarget, or an emitter with on() and off()";
  checkObject(target, "target of fromEvent()", what);
  if ("addEventListener" in target && typeof target.addEventListener === "function") {
    const type = checkString(name, "name of fromEvent()");
    return new Events<unknown>(`the event ${type}`, (arrived) => {
      target.addEventListener(type, arrived);
      return () => target.removeEventListener(type, arrived);
    });
  }
  if ("on" in target && typeof target.on === "function" && typeof target.off === "function") {
    if (typeof name !== "symbol") checkString(name, "name of fromEvent()");
    return new Events<unknown>(`the event ${String(name)}`, (arrived) => {
      const listener = (...args: unknown[]) => arrived(args);
      target.on(name, listener);
      return () => target.off(name, listener);
    });
  }
  throw wrongKind(what, target, "target of fromEvent()");
}
