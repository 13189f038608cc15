/** Programs for `no-uncalled-coroutine` and `no-async-body`. */
import type { Cases } from "./mod.ts";

const cases: Record<string, Cases> = {
  "no-uncalled-coroutine": {
    right: [
      `function* main() { yield* sleep(1); } await new Loop().run(main());`,
      `function* main(nursery: Nursery) { nursery.startSoon(sleep(1)); yield* checkpoint(); } await new Loop().run(Nursery.open(main));`,
      `function* save() { yield* sleep(1); } export function* main() { yield* moveOnAfter(1, save); yield* moveOnAfter(1, save()); yield* all([save()]); yield* shield(save); }`,
      `export function* main(receiver: Receiver<number>) { yield* receiver.forEach(function* (n) { yield* sleep(n); }); }`,
      `export function* used() { yield* sleep(1); } export default function* () { yield* used(); }`,
      `function* numbers() { yield 1; } console.log(numbers);`,
      `import { run } from "npm:effection"; import { Loop } from "jsr:@broomio/core"; function* main() { yield 1; } run(main); new Loop();`,
    ],
    wrong: [
      {
        code:
          `function* main() { yield* sleep(1); } const loop = new Loop(); loop.startSoon(/*!*/main); await loop.run(/*!*/main);`,
        fixed:
          `function* main() { yield* sleep(1); } const loop = new Loop(); loop.startSoon(main()); await loop.run(main());`,
      },
      `function* save(n: number) { yield* sleep(n); } export function* main() { yield* all([/*!*/save, save(1)]); yield* race({ a: /*!*/save, b: sleep(1) } as never); }`,
      `await new Loop().run(/*!*/function* () { yield* sleep(1); } as never);`,
      {
        code: `function* save() { yield* sleep(1); } export function* main() { yield* /*!*/save; }`,
        fixed: `function* save() { yield* sleep(1); } export function* main() { yield* save(); }`,
      },
      `function* save() { yield* sleep(1); } export function* main() { /*!*/save; yield* save(); }`,
      `function* handle() { yield* sleep(1); } export function* main(receiver: Receiver<number>, listener: TcpListenSocket) { yield* receiver.forEach(/*!*/handle()); yield* listener.serve(/*!*/handle()); yield* each([], /*!*/sleep(1) as never); }`,
      `function* /*!*/main() { yield* sleep(1); }`,
    ],
  },
  "no-async-body": {
    right: [
      `export function* main() { yield* until(async () => { await fetch("http://localhost"); }); yield* until(load()); } async function load() { await 1; }`,
      `async function load() { await 1; } await load(); const loop = new Loop(); loop.startSoon(until(load()));`,
      `export async function* ticks() { yield* [1, 2]; } export function* main() { yield* each(ticks(), function* (n) { yield* sleep(n); }); }`,
    ],
    wrong: [
      `await new Loop().run(Nursery.open(/*!*/async (nursery) => { await 1; nursery.cancel(); }));`,
      `async function load() { await 1; } const loop = new Loop(); loop.startSoon(/*!*/load()); loop.startSoon(/*!*/load as never);`,
      `export function* main(receiver: Receiver<number>) { yield* receiver.forEach(/*!*/async (n) => { await n; }); yield* moveOnAfter(1, /*!*/async () => {}); yield* all([/*!*/(async () => {})()]); }`,
      `export async function* main() { /*!*/yield* sleep(1); }`,
      `const loop = new Loop(); loop.startSoon(/*!*/async function* () {} as never);`,
      `export function* main() { yield* ensure(/*!*/async () => { await 1; }); }`,
    ],
  },
};
export default cases;
