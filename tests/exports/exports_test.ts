/**
 * R40b and R11 for everything public: each export of each door is called with every kind of wrong value, in
 * each place. It is refused at the call with `TypeError` or `RangeError`, or accepted where it is valid;
 * nothing hangs, and nothing is left registered.
 */
import { assertEquals } from "@std/assert";
import { Cancelled, type Coroutine, Loop, moveOnAfter, type Operation, until } from "../../mod.ts";
import { useNetwork } from "../../src/net/mod.ts";
import { memoryNetwork, VirtualClock } from "../../src/testing/mod.ts";
import { leftovers, NOTHING_LEFT } from "../support/world.ts";
import { type Row, ROWS } from "./calls.ts";
import { type Kind, TRAP, WRONG, WRONG_NAMES } from "./values.ts";

/** What looks into its argument when it is run: the values in an array, what a function gives. */
const LATE: ReadonlySet<string> = new Set(["all", "race"]);

/** What is called, for a report, and whether it may be accepted. */
interface Case {
  readonly row: Row;
  readonly what: string;
  readonly args: unknown[];
  readonly valid: boolean;
  /** All of it is valid: a row that refuses that would prove nothing of wrong values. */
  readonly wholly?: boolean;
}

/** Every wrong value in every place of a row, with valid values in the other places. */
function* casesOf(row: Row): Generator<Case> {
  const around = (place: number, value: unknown) =>
    row.kinds.map((kind, index) => index === place ? value : kind.valid());
  const args = row.kinds.map((kind) => kind.valid());
  yield { row, what: `${row.name} with valid values`, args, valid: true, wholly: true };
  for (const [place, kind] of row.kinds.entries()) {
    for (const name of WRONG_NAMES) {
      const what = `${row.name}(${"_, ".repeat(place)}${name})`;
      yield { row, what, args: around(place, WRONG[name]()), valid: kind.accepts.has(name) };
    }
    yield* optionCases(row, kind, (value) => around(place, value));
  }
}

function* optionCases(
  row: Row,
  { options = {}, valid }: Kind,
  around: (value: unknown) => unknown[],
): Generator<Case> {
  for (const [option, kind] of Object.entries(options)) {
    for (const name of WRONG_NAMES) {
      const value = { ...valid() as object, [option]: WRONG[name]() };
      const what = `${row.name}({ ${option}: ${name} })`;
      yield { row, what, args: around(value), valid: kind.accepts.has(name) };
    }
  }
  if (Object.keys(options).length > 0) {
    const value = { ...valid() as object, unknownOption: 1 };
    yield { row, what: `${row.name}({ unknownOption })`, args: around(value), valid: false };
  }
}

/** Whether a value can be run with `yield*`. */
function isOperation(value: unknown): value is Operation<unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    typeof (value as Partial<Operation<unknown>>)[Symbol.iterator] === "function" &&
    !(value instanceof Uint8Array);
}

/** Makes a call, runs what it gives for at most a second of virtual time, and says what is wrong. */
async function problemWith({ row, what, args, valid, wholly }: Case): Promise<string | undefined> {
  const clock = new VirtualClock({ autojump: "always" });
  const loop = new Loop({ host: clock, onWarning: () => {} });
  useNetwork(loop, memoryNetwork());
  let refusal: unknown;
  let refused = false;
  function* attempt(target: unknown): Coroutine {
    let result: unknown;
    try {
      result = row.invoke(target, args);
    } catch (error) {
      refused = true;
      refusal = error;
      return;
    }
    if (isOperation(result)) {
      try {
        yield* moveOnAfter(1, function* () {
          yield* result;
        });
      } catch (error) {
        if (error instanceof Cancelled) throw error;
        if (LATE.has(row.name)) [refused, refusal] = [true, error];
      }
    } else if (result instanceof Promise) {
      yield* until(result.catch((error) => [refused, refusal] = [true, error]));
    }
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("it hangs"), 20_000);
  });
  const run = loop.run(moveOnAfter(5, row.scene(attempt)))
    .then(() => undefined, (error) => `the run failed: ${error}`);
  const failure = await Promise.race([run, late]);
  clearTimeout(timer);
  if (failure !== undefined && !valid && !refused) return `${what}: accepted, and ${failure}`;
  if (failure === "it hangs") return `${what}: it hangs`;
  const left = leftovers(loop);
  if (JSON.stringify(left) !== JSON.stringify(NOTHING_LEFT)) {
    return `${what}: left behind ${JSON.stringify(left)}`;
  }
  if (!refused) return valid ? undefined : `${what}: accepted`;
  if (refusal instanceof TypeError || refusal instanceof RangeError) {
    return wholly ? `${what}: ${refusal}` : undefined;
  }
  if (valid) return undefined; // refused for a reason of its own
  // Code of the value itself has thrown, at the call: that error is as clear as ours would be.
  if (refusal instanceof Error && refusal.message.startsWith(TRAP)) return undefined;
  return `${what}: ${refusal}`;
}

for (const [door, rows] of Object.entries(ROWS)) {
  for (const row of rows) {
    Deno.test(`R40b: ${door}: ${row.name} with every kind of wrong value`, async () => {
      const problems: string[] = [];
      for (const each of casesOf(row)) {
        const problem = await problemWith(each);
        if (problem !== undefined) problems.push(problem);
      }
      assertEquals(problems, []);
    });
  }
}
