/**
 * The part of Broomio's public API that the rows use, as a structural type: the library under test is a parameter, given
 * as a path or specifier (the sources, a published build, an older version), so its own types may not be at hand.
 */

/** What `yield*` accepts. */
export interface Operation<T> {
  // deno-lint-ignore no-explicit-any -- traps are the library's own business
  [Symbol.iterator](): Iterator<any, T, any>;
}

// deno-lint-ignore no-explicit-any -- as above
export type Coroutine<T = void> = Generator<any, T, any>;

export interface Nursery {
  startSoon<T>(coroutine: Coroutine<T>): { join(): Operation<T> };
  cancel(reason?: unknown): void;
}

export interface Channel<T> {
  sender: { send(value: T): Operation<void> };
  receiver: { receive(): Operation<T> };
}

export interface Broomio {
  Loop: new (options?: { instruments: readonly object[] }) => {
    run<T>(main: Coroutine<T>): Promise<T>;
  };
  Nursery: { open<T>(body: (nursery: Nursery) => Coroutine<T>): Operation<T | undefined> };
  checkpoint(): Operation<void>;
  sleep(seconds: number): Operation<void>;
  mapConcurrent<T, R>(
    items: Iterable<T>,
    mapper: (item: T) => Operation<R>,
    options: { concurrency: number },
  ): Operation<R[]>;
  retry<T>(body: () => Operation<T>): Operation<T>;
  call<T>(coroutine: Coroutine<T>): Operation<T>;
  moveOnAfter<T>(seconds: number, body: () => Coroutine<T>): Operation<T | undefined>;
  openChannel<T>(capacity: number): Channel<T>;
  Portal: new (options?: { asyncContext?: boolean }) => {
    run<T>(body: () => Coroutine<T>, options?: { signal: AbortSignal }): Promise<T>;
  };
  Lock: new () => {
    acquire(): Operation<void>;
    release(): void;
    with<T>(body: () => Coroutine<T>): Operation<T>;
  };
}

/** Loads the library under test. */
export async function loadLib(specifier: string): Promise<Broomio> {
  return await import(specifier) as Broomio;
}

/** Runs `main` on a fresh loop. */
export function runOn<T>(lib: Broomio, main: () => Coroutine<T>): Promise<T> {
  return new lib.Loop().run(main());
}

/** Runs `count` coroutines made by `child` in one nursery, to their end. */
export function runMany(
  lib: Broomio,
  count: number,
  child: (index: number) => Coroutine<unknown>,
  instruments: readonly object[] = [],
): Promise<void> {
  return new lib.Loop({ instruments }).run(function* () {
    yield* lib.Nursery.open(function* (nursery) {
      for (let index = 0; index < count; index++) nursery.startSoon(child(index));
    });
  }());
}
