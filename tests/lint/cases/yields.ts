/** Programs for `yield-star`. */
import type { Cases } from "./mod.ts";

const cases: Record<string, Cases> = {
  "yield-star": {
    right: [
      `export function* main() { yield* sleep(1); }`,
      // Iterators, also of operations, are walked by others.
      `export function* numbers() { yield 1; yield 2; }`,
      `function* naps() { for (let i = 0; i < 3; i++) yield sleep(i); } export function* main() { yield* all([...naps()]); for (const nap of naps()) yield* nap; }`,
      `function* naps() { yield sleep(1); } export function* main() { yield* all(Array.from(naps())); }`,
      `export function* main() { yield* all(function* () { for (const n of [1, 2]) yield sleep(n); }()); }`,
      `export const results = all((function* () { const begun = sleep(1); yield begun; yield sleep(2); })());`,
      // Not of this package.
      `import { Loop } from "jsr:@broomio/core"; import { call, put } from "redux-saga/effects"; export function* saga() { yield call(console.log); yield put({ type: "x" }); } new Loop();`,
      `import { sleep } from "jsr:@broomio/core"; export async function* ticks() { yield 1; } void sleep;`,
    ],
    wrong: [
      {
        code: `export function* main() { /*!*/yield sleep(1); }`,
        fixed: `export function* main() { yield* sleep(1); }`,
      },
      {
        code:
          `function* save() { yield* sleep(1); } export function* main() { const x = /*!*/yield save(); /*!*/yield all([save()]); return x; }`,
        fixed:
          `function* save() { yield* sleep(1); } export function* main() { const x = yield* save(); yield* all([save()]); return x; }`,
      },
      {
        code:
          `export function* main(stream: ByteStream) { const bytes = /*!*/yield stream.recv(); return bytes; }`,
        fixed:
          `export function* main(stream: ByteStream) { const bytes = yield* stream.recv(); return bytes; }`,
      },
      // In what is certainly a coroutine, whatever is yielded.
      `export function* main() { yield* sleep(1); /*!*/yield; }`,
      `export function* main() { yield* sleep(1); const page = /*!*/yield fetch("http://localhost"); return page; }`,
      `export function* main(): Coroutine { /*!*/yield 1 as never; }`,
      `function* work() { /*!*/yield; } const loop = new Loop(); loop.startSoon(work());`,
      `await new Loop().run(function* () { /*!*/yield; }());`,
      `await new Loop().run(Nursery.open(function* () { /*!*/yield Promise.resolve(); }));`,
    ],
  },
};
export default cases;
