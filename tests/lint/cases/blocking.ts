/** Programs for `no-busy-wait`, `no-blocking-call` and `no-sleep-zero`. */
import type { Cases } from "./mod.ts";

const cases: Record<string, Cases> = {
  "no-busy-wait": {
    right: [
      `export function* main(event: Event) { yield* event.wait(); for (let i = 0; i < 3; i++) yield* checkpoint(); for (;;) yield* sleep(1); }`,
      `export function* main() { while (true) { yield* sleep(1); } }`,
      `let jobs = 3; export function* main() { while (jobs > 0) { yield* sleep(1); jobs--; } while (jobs-- > 0) yield* checkpoint(); }`,
      // The outside tells nobody when it changes.
      `export function* main(exists: () => boolean) { while (!exists()) yield* sleep(1); }`,
      `export function* main(receiver: Receiver<number>) { while (!(yield* receiver.next()).done) yield* sleep(1); }`,
      `let ready = false; export function wait() { while (!ready) ready = true; } export function* numbers() { let n = 0; while (n < 3) yield n++; }`,
      `export function* main(step: () => boolean) { while (step()); yield* checkpoint(); }`,
    ],
    wrong: [
      `let ready = false; export function set() { ready = true; } export function* main() { /*!*/while (!ready) yield* checkpoint(); /*!*/while (!ready) { yield* sleep(0); } /*!*/while (!ready) yield* sleep(0.1); }`,
      `export function* main(list: number[]) { /*!*/do { yield* sleep(1); } while (list.length === 0); /*!*/for (; list.length < 3;) yield* checkpoint(); }`,
      `export function* main(isReady: () => boolean) { /*!*/while (!isReady()) yield* checkpoint(); }`,
      `let ready = false; export function set() { ready = true; } export function* main() { yield* checkpoint(); /*!*/while (!ready); const end = Date.now() + 5; /*!*/while (Date.now() < end) {} }`,
    ],
  },
  "no-blocking-call": {
    right: [
      `export function* main() { return yield* until(Deno.readTextFile("x")); } export const text = () => Deno.readTextFileSync("x");`,
      `import { readFileSync } from "node:fs"; import { Loop, sleep } from "jsr:@broomio/core"; const text = readFileSync("x"); export function* main() { yield* sleep(text.length); } new Loop();`,
      `export function* main(db: { readSync(): string }) { yield* checkpoint(); return db.readSync(); }`,
      `export function* numbers() { yield Deno.readTextFileSync("x"); }`,
      `export function* main(prompt: () => string) { yield* checkpoint(); return prompt(); }`,
    ],
    wrong: [
      `export function* main() { yield* checkpoint(); /*!*/Deno.writeTextFileSync("x", "y"); return /*!*/new Deno.Command("ls").outputSync(); }`,
      `import { readFileSync } from "node:fs"; import fs from "fs"; import * as processes from "node:child_process"; import { sleep } from "@broomio/core"; export function* main() { yield* sleep(1); /*!*/readFileSync("x"); /*!*/fs.writeFileSync("x", "y"); /*!*/processes.execSync("ls"); }`,
      `export function* main(cell: Int32Array) { yield* checkpoint(); /*!*/Atomics.wait(cell, 0, 0); return /*!*/prompt("name?"); }`,
    ],
  },
  "no-sleep-zero": {
    right: [
      `export function* main() { yield* sleep(1); yield* checkpoint(); yield* select({ now: sleep(0), never: sleepForever() }); }`,
      `import { checkpoint } from "jsr:@broomio/core"; import { sleep } from "./own.ts"; export function* main() { yield* checkpoint(); yield* sleep(0); }`,
    ],
    wrong: [
      {
        code: `export function* main() { yield* /*!*/sleep(0); }`,
        fixed: `export function* main() { yield* checkpoint(); }`,
      },
      {
        code:
          `import { checkpoint as turn, sleep } from "@broomio/core"; export function* main() { yield* /*!*/sleep(0); yield* turn(); }`,
        fixed:
          `import { checkpoint as turn, sleep } from "@broomio/core"; export function* main() { yield* turn(); yield* turn(); }`,
      },
      {
        code:
          `import * as b from "@broomio/core"; export function* main() { yield* /*!*/b.sleep(0); }`,
        fixed:
          `import * as b from "@broomio/core"; export function* main() { yield* b.checkpoint(); }`,
      },
      // Nothing that is called checkpoint can be used there.
      `import { sleep } from "@broomio/core"; export function* main() { yield* /*!*/sleep(0); }`,
    ],
  },
};
export default cases;
