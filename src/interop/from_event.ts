/**
 * fromEvent: the events of an EventTarget, as values to wait for.
 */
import { BufferedSource, type Source } from "./source.ts";

class Events<E extends Event> extends BufferedSource<E> {
  readonly #target: EventTarget;
  readonly #name: string;
  readonly #listener = (event: unknown): void => this.arrived(event as E);

  constructor(target: EventTarget, name: string) {
    super(`the event ${name}`);
    this.#target = target;
    this.#name = name;
    target.addEventListener(name, this.#listener);
  }

  protected wanted(): void {}

  protected stop(): void {
    this.#target.removeEventListener(this.#name, this.#listener);
  }
}

/**
 * Listens to an event from now on. Every event is kept until a task asks for it; none is missed
 * while a task is busy.
 *
 * @param target An `EventTarget`.
 * @param name The event, such as "message".
 * @throws {TypeError} If the target is none.
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
export function fromEvent<E extends Event = Event>(target: EventTarget, name: string): Source<E> {
  if (typeof target?.addEventListener !== "function") {
    throw new TypeError("fromEvent() wants an EventTarget and the name of an event");
  }
  return new Events<E>(target, name);
}
