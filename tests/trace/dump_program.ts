/** Programs for dump_on_signal_test.ts: `hangs` until it was asked twice; `ends` by itself. */
import process from "node:process";
import { Event, Loop, Nursery, until } from "../../mod.ts";
import { dumpOnSignal } from "../../src/trace/mod.ts";

const loop = new Loop({ debug: true });
dumpOnSignal(loop);

async function hangs(): Promise<void> {
  let asked = 0;
  let end = () => {};
  dumpOnSignal(loop, {
    print() {
      if (++asked === 2) end();
      else console.log("asked");
    },
  });
  const timer = setInterval(() => {}, 1000); // what a program that hangs is kept alive by
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(new Event({ name: "never" }).wait(), { name: "waits for nobody" });
    console.log("hangs");
    yield* until(new Promise<void>((resolve) => end = resolve));
    nursery.cancel();
  }));
  clearInterval(timer);
}

// No await here: the npm package is tested as CommonJS too.
const ended = process.argv[2] === "hangs" ? hangs() : Promise.resolve();
ended.then(() => console.log("ends"));
