/** R49: a thousand starts, cancelled at random moments, and then a look at the system from outside. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { type Coroutine, moveOnAfter, Nursery, sleep } from "../../mod.ts";
import { Process, runProcess } from "../../src/os/mod.ts";
import { children, descriptors, membersOf, processes, run, sh } from "./support.ts";

const STARTS = 1000;
/** As many at once. */
const LANES = 8;

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

/** The timers and handles of a Node; Deno's test sanitizers look after its own. */
async function timers(): Promise<number> {
  const { getActiveResourcesInfo } = (await import("node:process")).default as {
    getActiveResourcesInfo?: () => string[];
  };
  return getActiveResourcesInfo?.().filter((each) => /Timeout/.test(each)).length ?? 0;
}

const options = { stdin: "pipe", stdout: "pipe", stderr: "null", grace: 0.05 } as const;

/** What is done with a process until it is cancelled, in many ways. */
const programs: ((started: (child: Process) => void) => Coroutine<unknown>)[] = [
  function* (started) {
    started(yield* Process.start("sleep", ["60"], options));
    yield* sleep(60);
  },
  function* (started) { // a group that ignores SIGTERM
    const child = yield* sh("trap '' TERM; sleep 60 & wait; sleep 60", options);
    started(child);
    yield* child.wait();
  },
  function* (started) { // sends without end
    const child = yield* Process.start("cat", [], options);
    started(child);
    for (;;) yield* child.stdin.send(new Uint8Array(30_000));
  },
  function* (started) { // reads without end
    const child = yield* Process.start("yes", [], options);
    started(child);
    while ((yield* child.stdout.recv()) !== null);
  },
  function* (started) { // ends by itself, with a grandchild that keeps the pipe
    const child = yield* sh("sleep 60 & exit 1", options);
    started(child);
    yield* child.wait();
    yield* sleep(60);
  },
  function* (started) {
    const yes = yield* Process.start("yes", [], options);
    started(yes);
    const tail = yield* Process.start("tail", ["-n", "1"], { ...options, stdin: yes.stdout });
    started(tail);
    yield* tail.stdout.recv();
  },
  function* () {
    yield* runProcess("sh", ["-c", "cat; sleep 60"], { input: "x".repeat(100_000), grace: 0.05 });
  },
];

Deno.test("R49: 1,000 starts cancelled at random moments leave no process, zombie, descriptor or timer", async () => {
  const random = randomFrom(20261125);
  const groups: number[] = [];
  let cancelled = 0;
  const churn = (starts: number) =>
    run(Nursery.open(function* (nursery) {
      for (let lane = 0; lane < LANES; lane++) {
        nursery.startSoon(function* () {
          while (starts-- > 0) {
            const program = programs[Math.floor(random() * programs.length)];
            // Many at the very moment of the start, the others a little later.
            const after = random() < 0.3 ? 0 : random() ** 3 * 0.06;
            const result = yield* moveOnAfter(after, function* () {
              yield* program((child) => groups.push(child.pid));
              return "ended";
            });
            if (result === undefined) cancelled++;
          }
        }());
      }
    }));
  await churn(50); // what a runtime keeps for all processes
  await new Promise((resolve) => setTimeout(resolve, 50));
  const open = descriptors();
  const before = { timers: await timers(), children: children() };
  cancelled = 0;
  await churn(STARTS);
  assertLess(STARTS / 2, cancelled);
  assertLess(STARTS / 4, groups.length);
  const ours = new Set(groups);
  assertEquals(processes().filter((each) => each.state !== "Z" && ours.has(each.group)), []);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals({ timers: await timers(), children: children() }, before);
  // A runtime closes pipes a moment after it says so, and may close some of its own meanwhile.
  for (let tries = 0; descriptors() > open && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert(descriptors() <= open, `${descriptors()} descriptors, ${open} before`);
  assertEquals(membersOf(groups[0]), []);
});
