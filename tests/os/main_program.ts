/** Programs for main_test.ts: run by name, each under `main`. */
import {
  Cancelled,
  checkpoint,
  type Coroutine,
  ensure,
  Loop,
  Nursery,
  shield,
  sleep,
  sleepForever,
  suspend,
} from "../../mod.ts";
import {
  exit,
  main,
  openSignalReceiver,
  Process,
  runProcess,
  type Signal,
  signals,
} from "../../src/os/mod.ts";
import process from "node:process";
import { Buffer } from "node:buffer";

const say = (text: string) => console.log(text);
const forever = () => suspend<never>(() => {}); // from outside the loop: no deadlock

const programs: Record<string, () => Coroutine<unknown>> = {
  *ends() {
    yield* sleep(0.01);
    say("end");
  },
  *fails() {
    yield* sleep(0.01);
    throw new RangeError("it failed");
  },
  *failsTwice() {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(function* () {
        yield* sleep(0.01);
        throw new RangeError("it failed");
      }());
      yield* forever();
    });
  },
  /** A timer that was forgotten. */
  *failsWithTimer() {
    setInterval(() => {}, 1000);
    throw new RangeError("it failed");
  },
  *cleansUp() {
    try {
      say("ready");
      yield* forever();
    } finally {
      yield* shield(sleep(0.05));
      say("cleaned up");
    }
  },
  *whoCancels() {
    try {
      say("ready");
      yield* forever();
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      say(`${error.source}: ${error.message}`);
      throw error;
    }
  },
  /** Cleanup that takes longer than anybody waits. */
  *stuck() {
    const child = yield* Process.start("sh", ["-c", "trap '' TERM; while :; do sleep 0.05; done"], {
      grace: 60,
    });
    try {
      say(`child ${child.pid}`);
      say("ready");
      yield* forever();
    } finally {
      say("stuck");
      yield* shield(sleep(60));
    }
  },
  *child() {
    const child = yield* Process.start("sleep", ["60"]);
    say(`child ${child.pid}`);
    say("ready");
    yield* child.wait();
  },
  *badCleanup() {
    yield* ensure(() => {
      throw new TypeError("cleanup failed");
    });
    say("ready");
    yield* forever();
  },
  *exits() {
    try {
      yield* exit(7);
      say("not reached");
    } finally {
      yield* shield(sleep(0.01));
      say("unwound");
    }
  },
  *exitsFromCallback() {
    using _resource = { [Symbol.dispose]: () => say("disposed") };
    setInterval(() => {}, 1000);
    setTimeout(() => exit(0), 20);
    setTimeout(() => exit(9), 21);
    yield* forever();
  },
  *writes() {
    const chunk = "x".repeat(1 << 20);
    for (let i = 0; i < 3; i++) process.stdout.write(chunk);
    yield* exit(5);
  },
  *writesAndEnds() {
    const chunk = "x".repeat(1 << 20);
    for (let i = 0; i < 3; i++) process.stdout.write(chunk);
    yield* checkpoint();
  },
  *writesAndIsStopped() {
    process.stdout.write(Buffer.alloc(3 << 20, "x"));
    process.kill(process.pid, "SIGTERM");
    yield* forever();
  },
  *ownSignal() {
    say("ready");
    say(yield* signals("SIGTERM"));
  },
  *receiver() {
    using receiver = openSignalReceiver("SIGUSR2", "SIGTERM");
    say("ready");
    for (;;) {
      const signal = yield* receiver.receive();
      say(signal);
      if (signal === "SIGTERM") return;
      yield* sleep(0.3);
    }
  },
  *noisy() {
    for (let i = 0; i < 2000; i++) {
      console.log("line");
      yield* checkpoint();
    }
    console.error("all written");
  },
  /** Ends by an error that no loop sees, while processes of its own are alive. */
  *uncaught() {
    const child = yield* Process.start("sh", ["-c", "sleep 60 & sleep 61; exit"]);
    say(`child ${child.pid}`);
    setTimeout(() => {
      throw new RangeError("nobody handles this");
    }, 100);
    yield* forever();
  },
  *uncaughtRejection() {
    const child = yield* Process.start("sh", ["-c", "sleep 60 & sleep 61; exit"]);
    say(`child ${child.pid}`);
    setTimeout(() => void Promise.reject(new RangeError("nobody handles this")), 100);
    yield* forever();
  },
  /** An error that somebody handles ends nothing. */
  *handled() {
    const child = yield* Process.start("sleep", ["60"]);
    process.on("uncaughtException", () => {});
    process.on("unhandledRejection", () => {});
    setTimeout(() => void Promise.reject(new RangeError("handled")), 50);
    setTimeout(() => {
      throw new RangeError("handled");
    }, 100);
    yield* sleep(0.3);
    say(`status ${child.status}`);
    child.kill();
    say(`ended by ${(yield* child.wait()).signal}`);
  },
  /** The body has left the scope of a process, whose grace runs. */
  *grace() {
    const script = "trap 'echo asked' TERM; echo child $$; while :; do sleep 0.02; done";
    try {
      yield* Process.start("sh", ["-c", script], { grace: wanted.includes("SIGINT") ? 60 : 0.5 });
      yield* sleep(0.2);
    } finally {
      say("leaving");
    }
  },
  *inherits() {
    const child = yield* Process.start("cat", [], { stdin: "inherit" });
    yield* child.wait();
    yield* runProcess("sh", ["-c", "echo to stderr >&2"], { stderr: "inherit" });
  },
  *signalAtEnd() {
    say("ending");
    process.kill(process.pid, "SIGTERM");
    yield* checkpoint();
  },
  *runs() {
    say((yield* runProcess("sh", ["-c", "echo ran"])).stdout.trim());
  },
};

const [name, ...wanted] = process.argv.slice(2);
const options = wanted.length > 0 ? { signals: wanted as Signal[] } : {};

/** Nothing awaits these: the runtime would let the program end. */
function* unawaited(): Coroutine<void> {
  say("ready");
  say(yield* signals("SIGTERM"));
}

function* unawaitedReceiver(): Coroutine<void> {
  using receiver = openSignalReceiver("SIGTERM");
  say("ready");
  say(yield* receiver.receive());
}

if (name === "unawaited") void new Loop().run(unawaited());
else if (name === "unawaitedReceiver") void new Loop().run(unawaitedReceiver());
else {
  const start = name === "sleepForever" ? sleepForever() : programs[name];
  void main<unknown>(start, options).then(() => say("main has ended"));
}
