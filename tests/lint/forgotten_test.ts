/**
 * The two programs that made these rules necessary: what is wrong in each is found, and nothing
 * else.
 */
import { assertEquals } from "@std/assert";
import { runDeno, runEslint } from "./tools.ts";

/** What is reported, as the rule and the line. */
function found(name: string, text: string): string[] {
  const { reports } = runDeno({ name, text });
  assertEquals(runEslint({ name, text }).reports, reports);
  return reports.map((each) => {
    const [, rule, offset] = /^(\S+) at (\d+)/.exec(each)!;
    return { rule, line: text.slice(0, Number(offset)).split("\n").length };
  }).sort((a, b) => a.line - b.line).map(({ rule, line }) => `${line} ${rule}`);
}

Deno.test("R61: a forgotten yield* is found wherever it was forgotten", () => {
  const program = `import { Loop, Nursery, sleep } from "@broomio/core";
function* save() { yield* sleep(0.01); console.log("saved"); }
function* main() {
  save();
  sleep(1);
  Nursery.open(function* (n) { n.startSoon(save()); });
  [1, 2].forEach(function* () { yield* save(); });
  return "all fine";
}
console.log(await new Loop({ debug: true }).run(main()));
`;
  // main() is certainly a coroutine: a loop is given it.
  assertEquals(
    found("forgotten_yield.mjs", program),
    [4, 5, 6, 7].map((line) => `${line} no-floating-operation`),
  );
});

Deno.test("R61: an error that a wait in its cleanup can lose is found", () => {
  const program =
    `import { CancelScope, Loop, moveOnAfter, Nursery, sleep } from "jsr:@broomio/core";
function* work() {
  try {
    throw new Error("the disk is full");
  } finally {
    yield* sleep(1); // says goodbye; a timeout of the caller lands here
  }
}
const loop = () => new Loop({ onWarning: (w) => console.log(w.message) });
console.log(await loop().run(moveOnAfter(0.01, work())));
console.log(await loop().run(Nursery.open(function* (n) { n.startSoon(work()); yield* sleep(5); }, { timeout: 0.01 })));
console.log(await loop().run(moveOnAfter(0.01, function* () {
  try { throw new Error("first"); } catch (e) { yield* sleep(1); throw e; }
})), CancelScope);
`;
  assertEquals(found("lost_error.ts", program), [
    "6 no-unshielded-cleanup",
    "13 no-unshielded-cleanup",
  ]);
});

Deno.test("R61: a retry by hand that forgets Cancelled is found", () => {
  const program = `import { type Coroutine, sleep } from "jsr:@broomio/core";
export function* retry<T>(f: () => Coroutine<T>, times: number): Coroutine<T> {
  for (let i = 0;; i++) {
    try { return yield* f(); } catch (e) {
      if (i + 1 >= times) throw e;
      yield* sleep(0.001 * 2 ** i);
    }
  }
}
`;
  assertEquals(found("recipe.ts", program), [
    "4 no-swallowed-cancelled",
    "6 no-unshielded-cleanup",
  ]);
});
