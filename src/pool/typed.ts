/**
 * The types of a module as a pool calls it: which exports it has, and what calling them gives.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";

/**
 * The names of the exports of a module that are functions.
 *
 * @example
 * ```ts
 * import type { HandlerName } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * type Handlers = { hash(path: string): Promise<string>; version: number };
 * const names: HandlerName<Handlers>[] = ["hash"]; // "version" is no function
 * assertEquals(names.length, 1);
 * ```
 */
export type HandlerName<Module> =
  & {
    [Name in keyof Module]: Module[Name] extends (...args: never[]) => unknown ? Name : never;
  }[keyof Module]
  & string;

/**
 * What a handler is called with.
 *
 * @example
 * ```ts
 * import type { HandlerArguments } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * type Handlers = { hash(path: string, rounds: number): string };
 * const jobs: HandlerArguments<Handlers, "hash">[] = [["a.txt", 1], ["b.txt", 2]];
 * assertEquals(jobs.length, 2); // for (const job of jobs) yield* pool.execute("hash", ...job)
 * ```
 */
export type HandlerArguments<Module, Name extends keyof Module> = Module[Name] extends
  (...args: infer Arguments) => unknown ? Arguments : never;

/**
 * What calling a handler through a pool gives: what its coroutine returns, what its promise
 * resolves to, or what it returns itself.
 *
 * @example
 * ```ts
 * import type { HandlerResult } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * type Handlers = { hash(path: string): Promise<string> };
 * const cache = new Map<string, HandlerResult<Handlers, "hash">>(); // of strings, not of promises
 * cache.set("a.txt", "5d41402a"); // yield* pool.execute("hash", "a.txt")
 * assertEquals(cache.size, 1);
 * ```
 */
export type HandlerResult<Module, Name extends keyof Module> = Module[Name] extends
  (...args: never[]) => infer Result ? Outcome<Result> : never;

/**
 * What comes of what a handler returned.
 *
 * @example
 * ```ts
 * import type { Outcome } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // A worker answers with the value, whether the handler is plain, async or a coroutine.
 * const fromAsync: Outcome<Promise<number>> = 1;
 * const fromPlain: Outcome<number> = 1;
 * assertEquals(fromAsync, fromPlain);
 * ```
 */
export type Outcome<Result> = Result extends Coroutine<infer Value> ? Value
  : Result extends PromiseLike<infer Value> ? Value
  : Result extends readonly unknown[] | string ? Result
  : Result extends Operation<infer Value> ? Value
  : Result;

/**
 * A module of which nothing is known.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type AnyModule, type Pool, ThreadPool } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // Where the compiler knows nothing of the module: any name, any arguments.
 * function* callByName(pool: Pool<AnyModule>, name: string, args: unknown[]) {
 *   return yield* pool.execute(name, ...args);
 * }
 * const module = "data:text/javascript,export const add = (a, b) => a + b";
 * await new Loop().run(function* () {
 *   const pool = yield* ThreadPool.open({ module, size: 1 });
 *   assertEquals(yield* callByName(pool, "add", [1, 2]), 3);
 * }());
 * ```
 */
// deno-lint-ignore no-explicit-any
export type AnyModule = Record<string, (...args: any[]) => unknown>;
