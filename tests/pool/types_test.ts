/**
 * What the type checker says of calls through a pool: `deno task check` is what runs these.
 */
import { assertEquals } from "@std/assert";
import type { Coroutine, Operation } from "../../mod.ts";
import type { HandlerName, HandlerResult, Pool } from "../../src/pool/mod.ts";

type Handlers = typeof import("./handlers.ts");

/** Compiles exactly where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true
  : false;

interface Results {
  plain(): number;
  list(): string[];
  map(): Map<string, number>;
  promised(): Promise<Uint8Array>;
  coroutine(): Coroutine<boolean>;
  operation(): Operation<Date>;
  value: number;
}

Deno.test("results are what handlers give in the end", () => {
  const right: [
    Same<HandlerResult<Results, "plain">, number>,
    Same<HandlerResult<Results, "list">, string[]>,
    Same<HandlerResult<Results, "map">, Map<string, number>>,
    Same<HandlerResult<Results, "promised">, Uint8Array>,
    Same<HandlerResult<Results, "coroutine">, boolean>,
    Same<HandlerResult<Results, "operation">, Date>,
    Same<
      HandlerName<Results>,
      "plain" | "list" | "map" | "promised" | "coroutine" | "operation"
    >,
  ] = [true, true, true, true, true, true, true];
  assertEquals(right.length, 7);
});

/** Never run: its lines are right or wrong as they stand. */
export function* typed(pool: Pool<Handlers>, unknownPool: Pool): Coroutine {
  const sum: number = yield* pool.execute("add", 1, 2);
  const naps: string[] = yield* pool.map([sum], "nap", { each: (slept: string) => void slept });
  // @ts-expect-error an argument of the wrong type
  yield* pool.execute("add", 1, "2");
  // @ts-expect-error an argument too few
  yield* pool.execute("add", 1);
  // @ts-expect-error no such export
  yield* pool.execute("subtract", 1, 2);
  // @ts-expect-error an export that is no function
  yield* pool.execute("notAFunction");
  // @ts-expect-error items of the wrong type
  yield* pool.map(naps, "nap");
  const anything: unknown = yield* unknownPool.execute("whatever", 1, "2");
  console.log(anything);
}
