/** runProcess: real processes of the shell. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { moveOnAfter, TimeoutError } from "../../mod.ts";
import { LimitError, ProcessError, ProcessStartError, runProcess } from "../../src/os/mod.ts";
import { bytesOf, children, errorOf, membersOf, processes, run } from "./support.ts";

const script = (text: string): [string, string[]] => ["sh", ["-c", text]];

Deno.test("R51: runProcess gives what was printed, as text or bytes, and feeds the input", async () => {
  await run(function* () {
    assertEquals(yield* runProcess("sort", ["-r"], { input: "a\nb\n" }), {
      code: 0,
      signal: null,
      stdout: "b\na\n",
      stderr: "",
    });
    const { stdout, stderr } = yield* runProcess(...script("cat; printf '\\377' >&2"), {
      input: new Uint8Array([1, 2, 255]),
      encoding: "bytes",
    });
    assertEquals([stdout, stderr], [new Uint8Array([1, 2, 255]), new Uint8Array([255])]);
    assertEquals((yield* runProcess("cat")).stdout, ""); // nothing to read, by default
  });
});

Deno.test("R51: with check, another code or a signal is a ProcessError; without, a result", async () => {
  const error = await errorOf(runProcess(...script("echo one; echo two >&2; exit 3")));
  assert(error instanceof ProcessError);
  assertEquals([error.code, error.signal, error.stderr], [3, null, "two\n"]);
  assertEquals(error.command, "sh -c 'echo one; echo two >&2; exit 3'");
  assertEquals(error.message, "sh -c 'echo one; echo two >&2; exit 3' ended with code 3: two");
  const killed = await errorOf(runProcess(...script("kill -TERM $$")));
  assert(killed instanceof ProcessError);
  assertEquals([killed.code, killed.signal], [143, "SIGTERM"]);
  const result = await run(runProcess(...script("echo one; exit 3"), { check: false }));
  assertEquals(result, { code: 3, signal: null, stdout: "one\n", stderr: "" });
});

Deno.test("R51: of a long stderr the error keeps the end", async () => {
  const error = await errorOf(runProcess(...script("seq 1 5000 >&2; exit 1")));
  assert(error instanceof ProcessError);
  assertEquals(error.stderr.length, 4096);
  assert(error.stderr.endsWith("\n4999\n5000\n"));
  assertLess(error.message.length, 300);
});

Deno.test("R51: more output than maxOutput is a LimitError, and the process is ended", async () => {
  for (const to of ["", ">&2"]) {
    const error = await errorOf(
      runProcess(...script(`head -c 1G /dev/zero ${to}`), { maxOutput: 100_000 }),
    );
    assert(error instanceof LimitError, String(error));
    assertEquals(error.limit, 100_000);
  }
  assertEquals(children(), []);
  await run(runProcess(...script("head -c 1000 /dev/zero"), { maxOutput: 1000 }));
});

Deno.test("R51: a timeout ends the process with its group, and is a TimeoutError", async () => {
  const start = performance.now();
  const error = await errorOf(runProcess(...script("sleep 60 & echo $$; sleep 60"), {
    timeout: { milliseconds: 100 },
    grace: 0.3,
  }));
  assert(error instanceof TimeoutError, String(error));
  assertLess(performance.now() - start, 10_000);
  assertEquals(children(), []);
});

Deno.test("R49: runProcess cancelled leaves nothing", async () => {
  await run(moveOnAfter(0.1, runProcess(...script("sleep 60 | cat"), { input: "x", grace: 0.3 })));
  assertEquals(children(), []);
});

Deno.test("R51: what cannot be started comes out as it is", async () => {
  const error = await errorOf(runProcess("no-such-command"));
  assert(error instanceof ProcessStartError);
  assertEquals(error.message, "Cannot start no-such-command: ENOENT (it does not exist)");
});

Deno.test("a process need not read its input: that is no error", async () => {
  const { stdout } = await run(
    runProcess("head", ["-c", "3"], { input: "x".repeat(1_000_000) }),
  );
  assertEquals(stdout, "xxx");
  const { code } = await run(runProcess("true", [], { input: "x".repeat(1_000_000) }));
  assertEquals(code, 0);
});

Deno.test("R50: a child left behind does not keep runProcess, and is ended; what was printed is whole", async () => {
  const start = performance.now();
  const { stdout } = await run(
    runProcess(...script("sleep 60 & head -c 300000 /dev/zero; echo $$"), { grace: 0.3 }),
  );
  assertLess(performance.now() - start, 10_000);
  assertEquals(stdout.length > 300_000, true);
  assertEquals(membersOf(Number(stdout.slice(300_000))), []);
});

Deno.test("R50: one that has left the group, and keeps the pipe, is not waited for", async () => {
  const start = performance.now();
  const { stdout } = await run(
    runProcess(...script("setsid sh -c 'echo $$; exec sleep 30' & sleep 0.2")),
  );
  assertLess(performance.now() - start, 15_000);
  const escaped = Number(stdout);
  assertEquals(processes().some((each) => each.pid === escaped), true);
  await run(runProcess("kill", [stdout.trim()]));
});

Deno.test("outputs that go elsewhere are empty in the result", async () => {
  const result = await run(
    runProcess(...script("echo a; echo b >&2"), { stdout: "null", stderr: "null" }),
  );
  assertEquals([result.stdout, result.stderr], ["", ""]);
});

Deno.test("R40b: runProcess refuses what is wrong at the call", () => {
  const wrong: [Record<string, unknown>, typeof TypeError | typeof RangeError, string][] = [
    [{ timout: 1 }, TypeError, '"timeout"'],
    [{ timeout: NaN }, RangeError, "duration"],
    [{ maxOutput: -1 }, RangeError, "(maxOutput)"],
    [{ check: 1 }, TypeError, "(check)"],
    [{ input: 5 }, TypeError, "(input)"],
    [{ input: "", stdin: "null" }, TypeError, "both"],
    [{ encoding: "utf8" }, RangeError, '"text" or "bytes"'],
  ];
  for (const [options, Class, message] of wrong) {
    assertThrows(() => runProcess("true", [], options as never), Class, message);
  }
  assertEquals(bytesOf("a").length, 1);
});
