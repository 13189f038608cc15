/** Programs for storm_test.ts: what takes a small table of descriptors, or a process namespace of its own. */
import process from "node:process";
import { readdirSync, writeFileSync } from "node:fs";
import { CancelScope, type Coroutine, Loop, sleep } from "../../mod.ts";
import { openSignalReceiver, Process, ProcessStartError, runProcess } from "../../src/os/mod.ts";

const say = (text: string) => console.log(text);
const descriptors = () => readdirSync("/proc/self/fd").length;

const programs: Record<string, () => Coroutine<unknown>> = {
  /** Starts processes until the table of descriptors is full. */
  *storm() {
    using _listening = openSignalReceiver("SIGUSR2"); // Deno cannot open what it takes later
    yield* runProcess("true", [], { stdin: "pipe" }); // what a runtime keeps for all processes
    yield* sleep(0.1);
    const before = descriptors();
    for (let round = 0; round < 2; round++) {
      let pids = 0;
      const codes = new Set<string>();
      yield* CancelScope.open(function* () {
        for (let i = 0; i < 60; i++) {
          try {
            yield* Process.start("sleep", ["60"], {
              stdin: "pipe",
              stdout: "pipe",
              stderr: "pipe",
            });
            pids++;
          } catch (error) {
            if (!(error instanceof ProcessStartError)) throw error;
            codes.add(error.code);
          }
        }
      });
      yield* sleep(0.1);
      say(`${pids > 0 && pids < 60} ${[...codes]} ${descriptors() <= before}`);
    }
    say((yield* runProcess("echo", ["works again"])).stdout.trim());
  },
  /** In a namespace of its own, where numbers can be given again: a stranger gets that of a group. */
  *reuse() {
    let child!: Process;
    let stranger!: Process;
    yield* CancelScope.open(function* () {
      child = yield* Process.start("sh", ["-c", "sleep 0.3 & exit 0"], { stdout: "null" });
      yield* child.wait();
      yield* sleep(0.6); // the group is gone now
      yield* CancelScope.open(function* () {
        // deno-lint-ignore broomio/no-blocking-call -- a number
        writeFileSync("/proc/sys/kernel/ns_last_pid", `${child.pid - 1}`);
        stranger = yield* Process.start("sleep", ["60"]);
        say(`same number: ${stranger.pid === child.pid}`);
        say(`signalled: ${child.kill("SIGKILL", { group: true })}`);
        yield* child.stop();
        yield* sleep(0.1);
        say(`the stranger: ${stranger.status?.signal ?? "alive"}`);
      });
    });
    say(`then: ${stranger.status?.signal}`);
  },
};

void new Loop().run(programs[process.argv[2]]());
