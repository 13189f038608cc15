/** Programs for `no-floating-operation`. */
import type { Cases } from "./mod.ts";

const cases: Record<string, Cases> = {
  "no-floating-operation": {
    right: [
      // Everything that is carried out.
      `function* main() { yield* sleep(1); const x = yield* all([sleep(1), sleep(2)]); return x; } export { main };`,
      `function* save() { yield* sleep(1); }
       const loop = new Loop(); loop.startSoon(save()); await loop.run(save());`,
      // Kept, returned or passed on: somebody may use it.
      `export const pause = () => sleep(1); export function later() { return sleep(2); }`,
      `export function* main() { const nap = sleep(1); log(nap); yield* nap; } function log(x: unknown) { console.log(x); }`,
      `export function* main(ready: boolean) { yield* ready ? sleep(1) : checkpoint(); yield* (ready && sleep(1)) || checkpoint(); }`,
      `export function* main() { const naps: Operation<void>[] = []; naps.push(sleep(1)); yield* all(naps); }`,
      `export function* main(items: number[]) { yield* all(items.map((n) => sleep(n))); }`,
      // What only looks like an operation.
      `export function* main(nursery: Nursery, lock: Lock) { nursery.startSoon(sleep(1)); nursery.cancel(); if (lock.tryAcquire()) lock.release(); yield* checkpoint(); }`,
      `const { sender, receiver } = openChannel<number>(1); sender.trySend(1); receiver.close(); sender.close();`,
      `export function* main(receiver: Receiver<number>) { yield* receiver.forEach((n) => console.log(n)); receiver.tryReceive(); }`,
      // Not of this package, though the name is the same.
      `import { Loop } from "jsr:@broomio/core"; import { sleep } from "./own.ts"; sleep(1); new Loop();`,
      `import { sleep } from "npm:effection"; function* f() { sleep(1); } f();`,
      `export function main(sleep: (n: number) => void) { sleep(1); }`,
      // A coroutine that gives an operation on purpose.
      `export function* make(): Coroutine<Operation<void>> { yield* checkpoint(); return sleep(1); }`,
      // Iterators that are walked.
      `function* numbers() { yield 1; } for (const n of numbers()) console.log(n); [...numbers()].forEach((n) => console.log(n));`,
      // Syntax of many kinds, in which nothing is wrong.
      `
        enum Kind { A = 1, B = A << 1 }
        namespace Names { export const q = 1; export function f() { return q; } }
        declare function later(): void;
        declare module "x" { export const y: number; }
        abstract class Base<T> { static #count = 0; declare kind: Kind; abstract make(): T; static { Base.#count++; } get size() { return #hidden in this ? 1 : 0; } #hidden = 1; accessor open = false; *[Symbol.iterator](): Generator<number> { yield this.size; } }
        function deco(_: unknown, __: unknown): void {}
        class Derived extends Base<number> { constructor(private readonly n: number, public override kind: Kind = Kind.A) { super(); } @deco make() { return super.size + this.n; } static async *many() { for await (const x of [1]) yield x; } }
        export function overloaded(a: number): void; export function overloaded(a: string): void; export function overloaded(a: unknown) { void a; }
        export type Y = typeof sleep; export const t: Array<Y> = [];
        export function f(this: unknown, { a, ...rest }: { a?: number }, [b, , c = 2]: number[] = [], ...z: number[]) { label: for (;;) { if (a) continue label; break label; } return [rest, b, c, z, new.target, import.meta.url]; }
        export const g = (x: unknown) => (x as number)! satisfies number; export const h = <T,>(x: T) => x ?? (x, x);
        let i = 0; i ||= 1; [i] = [i]; ({ i } = { i }); i++; delete (globalThis as { i?: number }).i; i **= 2;
        switch (i as number) { case 1: { let i = 2; i++; break; } default: later(); }
        try { later(); } catch { i = 3; } finally { Names.f(); }
        do { i--; } while (i > 0); for (const k in { i }) console.log(k); while (i < 1) i++;
        console.log(\`a\${i}b\${new Derived(1)?.make?.()}\`, String.raw\`x\`, /x/u, 10n, class {}, async () => { await 1; }, { get a() { return 1; }, set a(_v) {}, async *b() {}, [\`c\`]: 1, ...{} });
        export default class extends (class {}) {}
        export * from "./own.ts"; export { i as j }; export * as all2 from "./own.ts";
        if (i) ; else { debugger; }
        await using _res = { async [Symbol.asyncDispose]() {} }; using _r2 = null;
      `,
      `export function* main(lock: Lock) { let lock2 = lock; lock2 = null!; lock2.acquire(); yield* checkpoint(); }`,
    ],
    wrong: [
      `export function* main() { /*!*/sleep(1); yield* checkpoint(); }`,
      `function* save() { yield* sleep(1); } export function* main() { /*!*/save(); void /*!*/save(); yield* save(); }`,
      `export async function main() { await /*!*/sleep(1); }`,
      `import * as b from "@broomio/core"; export function* main() { /*!*/b.sleep(1); /*!*/b.Nursery.open(function* () {}); }`,
      `import { sleep as nap } from "npm:@broomio/core@1/"; export function* main() { /*!*/nap(1); }`,
      `const { sleep: nap } = require("@broomio/core"); exports.main = function* () { /*!*/nap(1); };`,
      `const { sleep } = await import("jsr:@broomio/core@^0.1"); export function* main() { /*!*/sleep(1); }`,
      // Methods of what was imported, by new, by an operation's value, by what a body is given, by
      // annotation.
      `const lock = new Lock(); export function* main() { /*!*/lock.acquire(); lock.release(); /*!*/new Event().wait(); }`,
      `export function* main() { const stream = yield* TcpClientSocket.connect({ port: 1 }); /*!*/stream.send(new Uint8Array()); }`,
      `export function* main() { const stream = (yield* failAfter(1, TcpClientSocket.connect({ port: 1 })))!; /*!*/stream.recv(); }`,
      `export function* main(listener: TcpListenSocket) { yield* listener.serve(function* (stream) { /*!*/stream.shutdown(); }); }`,
      `export function* main() { yield* Nursery.open(function* (nursery) { /*!*/nursery.start(() => sleep(1)); const task = nursery.startSoon(sleep(1)); /*!*/task.join(); }); }`,
      `const { sender, receiver } = openChannel<number>(1); export function* main() { /*!*/sender.send(1); /*!*/receiver.receive(); }`,
      `export function* handle(stream: ByteStream | null) { /*!*/stream?.send(new Uint8Array()); /*!*/stream!.recv(); }`,
      `class Printer { readonly lock = new Lock(); constructor(private readonly event: Event) {} *print() { /*!*/this.lock.acquire(); /*!*/this.event.wait(); /*!*/this.rest(); yield* this.rest(); } *rest() { yield* sleep(1); } } export { Printer };`,
      // In JSX too.
      `export function* main() { yield* checkpoint(); return <a onClick={() => { /*!*/sleep(1); }} {...{ sleep }}>{sleep}<>{/*!*/sleep(2) && 1}</></a>; }`,
      `const o = { *work() { yield* sleep(1); }, nap: () => sleep(1) }; /*!*/o.work(); /*!*/o.nap();`,
      `function pause(n: number): Operation<void> { return n > 0 ? sleep(n) : checkpoint(); } /*!*/pause(1);`,
      `export function* main(body: () => Coroutine) { /*!*/body(); yield* body(); }`,
      // Lost in other ways than by a statement.
      `export function* main(ready: boolean) { ready && /*!*/sleep(1); ready ? /*!*/sleep(1) : /*!*/checkpoint(); (/*!*/sleep(1), yield* checkpoint()); }`,
      `export function* main(lock: Lock) { if (/*!*/lock.acquire()) console.log("got it"); while (!/*!*/checkpoint()) yield* checkpoint(); }`,
      `export function* main() { const nap = /*!*/sleep(1); let other; other = /*!*/sleep(2); yield* checkpoint(); }`,
      `export function* main() { yield* checkpoint(); return /*!*/sleep(1); }`,
      // Callers that drop what their callback makes.
      `function* save() { yield* sleep(1); } [1, 2].forEach(/*!*/save); [1].forEach(/*!*/function* () { yield* save(); }); [1].forEach((n) => /*!*/save());`,
      `function* save() { yield* sleep(1); } setTimeout(/*!*/save, 10); setInterval(() => /*!*/save(), 10); setTimeout(() => { return /*!*/save(); }, 1); addEventListener("x", /*!*/save);`,
    ],
  },
};
export default cases;
