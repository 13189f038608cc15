/** main, exit, openSignalReceiver, signals: programs of their own, sent real signals, on whichever runtime this is. */
import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { sleep } from "../../mod.ts";
import { BufferedReader } from "../../src/net/mod.ts";
import { exit, main, openSignalReceiver, Process, runProcess } from "../../src/os/mod.ts";
import { type Answers, membersOf, programFlags, run, runFile } from "./support.ts";

const program = new URL("./main_program.ts", import.meta.url).pathname;
const runProgram = (args: string[], answers?: Answers) => runFile(program, args, answers);

Deno.test("R52: main resolves when the body has ended, with exit code 0", async () => {
  const { lines, errors, code } = await runProgram(["ends"]);
  assertEquals([lines, errors, code], [["end", "main has ended"], "", 0]);
});

for (const name of ["fails", "failsTwice", "failsWithTimer"]) {
  Deno.test(`R52: an error is printed once, and the exit code is 1: ${name}`, async () => {
    const { lines, errors, code } = await runProgram([name]);
    assertEquals([lines, code], [[], 1]);
    assertMatch(errors, /RangeError: it failed\n/);
    const places = errors.split("\n").filter((each) => /main_program/.test(each));
    assertEquals(new Set(places).size, places.length, errors);
    assertMatch(errors, /main_program/);
  });
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`R52: ${signal} cancels the body, its cleanup runs, and the program ends by it, with ${code}`, async () => {
    const ran = await runProgram(["cleansUp"], { ready: [signal] });
    assertEquals(ran.lines, ["ready", "cleaned up"]);
    assertEquals([ran.errors, ran.code, ran.signal], ["", code, signal]);
  });
}

Deno.test("R52: a signal that ends nothing by default cancels the body too, and the exit code is 1", async () => {
  const { lines, errors, code } = await runProgram(["cleansUp", "SIGWINCH"], {
    ready: ["SIGWINCH"],
  });
  assertEquals([lines, errors, code], [["ready", "cleaned up"], "", 1]);
});

Deno.test('R22b: the Cancelled of a signal that main got has the source "signal", and the signal as its reason', async () => {
  const ran = await runProgram(["whoCancels"], { ready: ["SIGTERM"] });
  assertEquals(ran.lines, ["ready", "signal: Cancelled by a signal: SIGTERM"]);
  assertEquals(ran.signal, "SIGTERM");
});

Deno.test("R52: a second signal ends it at once, with the groups of its processes", async () => {
  const ran = await runProgram(["stuck"], { ready: ["SIGINT"], stuck: ["SIGTERM"] });
  assertEquals(ran.lines.slice(1), ["ready", "stuck"]);
  assertEquals([ran.code, ran.signal], [143, "SIGTERM"]);
  assertLess(ran.seconds, 30);
  await run(sleep(0.05));
  assertEquals(membersOf(Number(ran.lines[0].slice("child ".length))), []);
});

for (const name of ["uncaught", "uncaughtRejection"]) {
  Deno.test(`R52: an error that nobody handles ends the processes of the program too: ${name}`, async () => {
    const ran = await runProgram([name]);
    assertMatch(ran.errors, /RangeError: nobody handles this/);
    assertEquals([ran.lines.length, ran.code], [1, 1]);
    await run(sleep(0.05));
    assertEquals(membersOf(Number(ran.lines[0].slice("child ".length))), []);
  });
}

Deno.test("R52: an error that the program handles ends no process", async () => {
  const { lines, code, errors } = await runProgram(["handled"]);
  assertEquals(lines, ["status null", "ended by SIGTERM", "main has ended"], errors);
  assertEquals(code, 0);
});

Deno.test("R52: a signal that comes while the grace of a process runs does not cut it short", async () => {
  const ran = await runProgram(["grace"], { asked: ["SIGTERM"] });
  assertMatch(ran.lines.join(), /^child \d+,leaving,asked$/);
  assertEquals([ran.code, ran.signal], [143, "SIGTERM"], ran.errors);
  assertLess(0.6, ran.seconds);
  assertEquals(membersOf(Number(ran.lines[0].slice("child ".length))), []);
});

Deno.test("R52: a second one does, and leaves no process", async () => {
  // Two of one kind may come as one, and two of different kinds in either order.
  const ran = await runProgram(["grace", "SIGINT", "SIGTERM"], { leaving: ["SIGINT", "SIGTERM"] });
  assertMatch(`${ran.code} ${ran.signal}`, /^(130 SIGINT|143 SIGTERM)$/, ran.errors);
  assertLess(ran.seconds, 30);
  await run(sleep(0.05));
  assertEquals(membersOf(Number(ran.lines[0].slice("child ".length))), []);
});

Deno.test("R52: a signal at the very end of the body ends the program, or comes too late; nothing else", async () => {
  const { lines, code, errors } = await runProgram(["signalAtEnd"]);
  assertEquals([lines[0], errors], ["ending", ""]);
  // Too late for main, it does what it does by default, before or after the next line.
  if (code === 0) assertEquals(lines[1], "main has ended");
  else assertEquals(code, 143);
});

Deno.test("R52: a signal ends the processes of the program before the program", async () => {
  const ran = await runProgram(["child"], { ready: ["SIGTERM"] });
  assertEquals(ran.signal, "SIGTERM");
  assertEquals(membersOf(Number(ran.lines[0].slice("child ".length))), []);
});

Deno.test("R52: cleanup that fails after a signal is printed, with exit code 1", async () => {
  const { errors, code, signal } = await runProgram(["badCleanup"], { ready: ["SIGTERM"] });
  assertMatch(errors, /TypeError: cleanup failed/);
  assertEquals([code, signal], [1, null]);
});

Deno.test("R52: exit unwinds first, from a coroutine and from a callback; the first code counts", async () => {
  const one = await runProgram(["exits"]);
  assertEquals([one.lines, one.code, one.errors], [["unwound"], 7, ""]);
  const two = await runProgram(["exitsFromCallback"]);
  assertEquals([two.lines, two.code, two.errors], [["disposed"], 0, ""]);
});

for (
  const [name, code] of [["writes", 5], ["writesAndEnds", 0], ["writesAndIsStopped", 143]] as const
) {
  Deno.test(`R52: output that was written but not awaited arrives whole: ${name}`, async () => {
    const ran = await runProgram([name]);
    // Bun's console does not queue behind what was written to the stream.
    assertEquals(ran.lines.join("").replace("main has ended", "").length, 3 << 20);
    assertEquals(ran.code, code, ran.errors);
  });
}

Deno.test("R52: output reaches a slow reader whole, before the program ends", async () => {
  await run(function* () {
    const child = yield* Process.start(Deno.execPath(), [...programFlags, program, "writes"], {
      stdout: "pipe",
    });
    yield* sleep(0.5);
    assertEquals(child.status, null); // it waits for the reader
    let count = 0;
    for (;;) {
      const bytes = yield* child.stdout.recv(64 * 1024);
      if (bytes === null) break;
      count += bytes.length;
      yield* sleep(0.005);
    }
    assertEquals([count, (yield* child.wait()).code], [3 << 20, 5]);
  });
});

Deno.test("R50: a process inherits the streams of the program", async () => {
  const args = [...programFlags, program, "inherits"];
  const { stdout, stderr } = await run(
    runProcess(Deno.execPath(), args, { input: "handed down\n" }),
  );
  assertEquals([stdout, stderr], ["handed down\nmain has ended\n", "to stderr\n"]);
});

Deno.test("R52: a signal that the body listens to itself does not cancel it", async () => {
  const { lines, code } = await runProgram(["ownSignal"], { ready: ["SIGTERM"] });
  assertEquals([lines, code], [["ready", "SIGTERM", "main has ended"], 0]);
});

Deno.test("a signal receiver listens on while one is handled, and counts those that are equal once", async () => {
  const { lines, code } = await runProgram(["receiver"], {
    ready: ["SIGUSR2"],
    SIGUSR2: ["SIGUSR2", "SIGUSR2", "SIGUSR2", "SIGTERM"],
  });
  // While the first is handled three more come, and SIGTERM after them: the three are one.
  assertEquals(lines, ["ready", "SIGUSR2", "SIGUSR2", "SIGTERM", "main has ended"]);
  assertEquals(code, 0);
});

for (const name of ["unawaited", "unawaitedReceiver"]) {
  Deno.test(`a program that waits for a signal lives until it comes, also where nothing awaits its loop: ${name}`, async () => {
    const { lines, code, seconds } = await runProgram([name], { ready: ["SIGTERM"] });
    assertEquals([lines, code], [["ready", "SIGTERM"], 0]);
    assertLess(seconds, 20);
  });
}

Deno.test("R52: other signals cancel it where they are named", async () => {
  const ran = await runProgram(["cleansUp", "SIGHUP"], { ready: ["SIGHUP"] });
  assertEquals([ran.lines.at(-1), ran.code, ran.signal], ["cleaned up", 129, "SIGHUP"]);
});

Deno.test("R52: a reader of the output that has gone is no error", async () => {
  await run(function* () {
    const child = yield* Process.start(Deno.execPath(), [...programFlags, program, "noisy"], {
      stdout: "pipe",
      stderr: "pipe",
    });
    assert((yield* child.stdout.recv()) !== null);
    child.stdout.close();
    const errors = new BufferedReader(child.stderr);
    assertEquals(yield* errors.readLine(), "all written");
    assertEquals((yield* child.wait()).code, 0);
  });
});

Deno.test("R7: under main a deadlock is found all the same", async () => {
  const { errors, code } = await runProgram(["sleepForever"]);
  assertMatch(errors, /DeadlockError/);
  assertEquals(code, 1);
});

Deno.test("under main a process runs as elsewhere", async () => {
  assertEquals((await runProgram(["runs"])).lines, ["ran", "main has ended"]);
});

Deno.test("main and exit refuse what is wrong", async () => {
  assertThrows(() => exit(), Error, "main()");
  assertThrows(() => exit(256), RangeError, "(code)");
  assertThrows(() => exit("1" as never), TypeError, "(code)");
  await assertRejects(() => main(5 as never), TypeError, "main()");
  await assertRejects(
    () => main(sleep(0), { signal: ["SIGINT"] } as never),
    TypeError,
    '"signals"',
  );
  await assertRejects(() => main(sleep(0), { signals: "SIGINT" } as never), TypeError, "(signals)");
  assertThrows(() => openSignalReceiver(), TypeError, 'openSignalReceiver("SIGHUP")');
  assertThrows(() => openSignalReceiver("SIGNOPE" as never), RangeError, "SIGNOPE");
  await assertRejects(
    () => main(sleep(0), { signals: ["SIGNOPE"] } as never),
    RangeError,
    "(signals)",
  );
});
