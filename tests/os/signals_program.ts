/** A child process for signals_test.ts: prints what it does, one line each. */
import {
  checkpoint,
  type Coroutine,
  Loop,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
  sleepForever,
} from "../../mod.ts";
import { signals } from "../../src/os/mod.ts";
import process from "node:process";

const loop = new Loop();
const say = (text: string) => console.log(text);

function* graceful() {
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(function* () {
      try {
        say("ready");
        yield* sleepForever();
      } finally {
        yield* shield(sleep(0.01));
        say("closed");
      }
    }());
    const signal = yield* signals("SIGINT", "SIGTERM");
    say(`got ${signal}`);
    nursery.cancel(signal);
  });
  say("done");
}

/** Each wait takes one signal; between waits the system's way is back. */
function* twice() {
  const waiting = Nursery.open(function* (nursery) {
    nursery.startSoon(function* () {
      say(`first ${yield* signals("SIGUSR2")}`);
    }());
    nursery.startSoon(function* () {
      say(`second ${yield* signals("SIGUSR2", "SIGUSR2")}`);
    }());
    yield* checkpoint();
    yield* checkpoint();
    say("ready");
  });
  yield* waiting;
  say("done");
}

/** Gives up; after that SIGTERM kills as it does by default. */
function* givesUp() {
  yield* moveOnAfter(0.01, signals("SIGTERM"));
  say("ready");
  yield* sleep(30);
}

const programs: Record<string, () => Coroutine> = { graceful, twice, givesUp };
void loop.run(programs[process.argv[2]]());
