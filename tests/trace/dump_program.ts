/** Hangs until it is asked; run by `dump_on_signal_test.ts`. */
import { Event, Loop, until } from "../../mod.ts";
import { dumpOnSignal } from "../../src/trace/mod.ts";

const loop = new Loop({ debug: true });
dumpOnSignal(loop);
loop.startSoon(new Event().wait(), { name: "waits for nobody" });
const timer = setTimeout(() => {}, 20_000);
console.log("hangs");
await loop.run(until(new Promise(() => {}))).finally(() => clearTimeout(timer));
