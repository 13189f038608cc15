/**
 * The types of a module as a pool calls it: which exports it has, and what calling them gives.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";

/** The names of the exports of a module that are functions. */
export type HandlerName<Module> =
  & {
    [Name in keyof Module]: Module[Name] extends (...args: never[]) => unknown ? Name : never;
  }[keyof Module]
  & string;

/** What a handler is called with. */
export type HandlerArguments<Module, Name extends keyof Module> = Module[Name] extends
  (...args: infer Arguments) => unknown ? Arguments : never;

/**
 * What calling a handler through a pool gives: what its coroutine returns, what its promise
 * resolves to, or what it returns itself.
 */
export type HandlerResult<Module, Name extends keyof Module> = Module[Name] extends
  (...args: never[]) => infer Result ? Outcome<Result> : never;

/** What comes of what a handler returned. */
export type Outcome<Result> = Result extends Coroutine<infer Value> ? Value
  : Result extends PromiseLike<infer Value> ? Value
  : Result extends readonly unknown[] | string ? Result
  : Result extends Operation<infer Value> ? Value
  : Result;

/** A module of which nothing is known. */
// deno-lint-ignore no-explicit-any
export type AnyModule = Record<string, (...args: any[]) => unknown>;
