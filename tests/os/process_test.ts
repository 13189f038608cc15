/** Process: what belongs to a scope ends with it, whatever the process does. Real processes of the shell. */
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  BusyResourceError,
  CancelScope,
  ClosedResourceError,
  moveOnAfter,
  Nursery,
  sleep,
  sleepForever,
} from "../../mod.ts";
import { BufferedReader } from "../../src/net/mod.ts";
import { Process, ProcessStartError, SocketError } from "../../src/os/mod.ts";
import {
  bytesOf,
  children,
  descriptors,
  errorOf,
  isDeno,
  membersOf,
  run,
  sh,
  text,
} from "./support.ts";

/** In Node an output is read in two ways. */
const WAYS = [[true, ""], [false, ", without internals"]] as const;

/** Reads the next line that a process prints. */
function* line(child: Process) {
  return yield* new BufferedReader(child.stdout).readLine();
}

Deno.test("R49: a process ends with the scope it was started in, by SIGTERM", async () => {
  await run(function* () {
    let child!: Process;
    yield* CancelScope.open(function* () {
      child = yield* sh("sleep 60");
      assertEquals(membersOf(child.pid).length > 0, true);
    });
    assertEquals(child.status, { code: 143, signal: "SIGTERM" });
    assertEquals(membersOf(child.pid), []);
  });
});

Deno.test("R49: so it does where the scope is cancelled, fails, or runs out of time, or its task ends", async () => {
  const pids: number[] = [];
  function* start() {
    pids.push((yield* sh("sleep 60")).pid);
  }
  await run(function* () {
    yield* CancelScope.open(function* (scope) {
      yield* start();
      scope.cancel();
      yield* sleepForever();
    });
    yield* moveOnAfter(0.05, function* () {
      yield* start();
      yield* sleep(60);
    });
    try {
      yield* CancelScope.open(function* () {
        yield* start();
        throw new RangeError("mine");
      });
    } catch (error) {
      assert(error instanceof RangeError);
    }
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(start()); // belongs to that task
    });
  });
  assertEquals(pids.length, 4);
  for (const pid of pids) assertEquals(membersOf(pid), []);
});

Deno.test("R49: where the scope is cancelled before, the process is not started", async () => {
  await run(function* () {
    const before = children();
    const value = yield* CancelScope.open(function* (scope) {
      scope.cancel();
      yield* sh("sleep 60");
      return "started";
    });
    assertEquals(value, undefined);
    assertEquals(children(), before);
  });
});

Deno.test("R49: a process that ignores SIGTERM is killed after the grace, and not before", async () => {
  await run(function* () {
    let child!: Process;
    const start = performance.now();
    yield* CancelScope.open(function* () {
      child = yield* sh("trap '' TERM; echo ready; while :; do sleep 0.05; done", {
        stdout: "pipe",
        grace: { milliseconds: 200 },
      });
      yield* line(child);
    });
    assert(performance.now() - start >= 190);
    assertEquals(child.status, { code: 137, signal: "SIGKILL" });
    assertEquals(membersOf(child.pid), []);
  });
});

Deno.test("R49: a process that cleans up within the grace is let to, and so are its children after it has ended", async () => {
  const folder = mkdtempSync("/tmp/broomio-os-");
  try {
    await run(function* () {
      const worker = `trap "sleep 0.2; echo done >${folder}/worker; exit 0" TERM; echo ready; ` +
        "while :; do sleep 0.02; done";
      yield* CancelScope.open(function* () {
        // The shell dies of SIGTERM at once; its child takes longer.
        const child = yield* sh(`sh -c '${worker}' & wait`, { stdout: "pipe", grace: 2 });
        yield* line(child);
      });
      // deno-lint-ignore broomio/no-blocking-call -- a file of a few bytes, in a test
      assertEquals(readFileSync(`${folder}/worker`, "utf8"), "done\n");
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

Deno.test("R49: a process that is stopped is woken to end", async () => {
  await run(function* () {
    let child!: Process;
    const start = performance.now();
    yield* CancelScope.open(function* () {
      child = yield* sh("echo ready; exec sleep 60", { stdout: "pipe", grace: 20 });
      yield* line(child);
      child.kill("SIGSTOP", { group: true });
    });
    assertEquals(child.status, { code: 143, signal: "SIGTERM" });
    assertLess(performance.now() - start, 10_000);
  });
});

Deno.test("R49: grandchildren end with the scope, also where the process itself has ended before", async () => {
  await run(function* () {
    let pid = 0;
    yield* CancelScope.open(function* () {
      const child = yield* sh("sleep 60 & sleep 61 & exit 3", { grace: 0.3 });
      pid = child.pid;
      assertEquals(yield* child.wait(), { code: 3, signal: null });
      assertEquals(membersOf(pid).length, 2);
    });
    assertEquals(membersOf(pid), []);
  });
});

Deno.test("R50: a grandchild that keeps the pipe does not keep wait(), nor the end of the scope", async () => {
  const start = performance.now();
  let escaped = 0;
  await run(function* () {
    yield* CancelScope.open(function* () {
      const child = yield* sh("setsid sh -c 'echo $$; exec sleep 30' & sleep 0.1; exit 4", {
        stdout: "pipe",
        grace: 0.3,
      });
      escaped = Number(yield* line(child));
      assertEquals((yield* child.wait()).code, 4);
    });
    // It has left the group: the pipe is closed all the same.
    assertEquals(membersOf(escaped), [escaped]);
    yield* Process.start("kill", [String(escaped)]);
    yield* sleep(0.05);
  });
  assertLess(performance.now() - start, 10_000);
});

for (const [internals, way] of WAYS) {
  Deno.test(`R50: what nobody reads stops the process, not the memory; leaving the scope ends both${way}`, async () => {
    await run(function* () {
      let child!: Process;
      yield* CancelScope.open(function* () {
        child = yield* Process.start("head", ["-c", "1G", "/dev/zero"], {
          stdout: "pipe",
          internals,
        });
        yield* sleep(0.3);
        assertEquals(child.status, null); // it waits
      });
      assertEquals(child.status, { code: 143, signal: "SIGTERM" });
    });
  });
}

Deno.test("R50: a child that closes its input is an EPIPE SocketError at a send, and can be waited for", async () => {
  await run(function* () {
    const child = yield* sh("exec <&-; echo closed; exec sleep 60", {
      stdin: "pipe",
      stdout: "pipe",
    });
    yield* line(child);
    let error: unknown;
    try {
      for (let i = 0; i < 20; i++) yield* child.stdin.send(new Uint8Array(64 * 1024));
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof SocketError, String(error));
    assertEquals(error.code, "EPIPE");
    assertEquals(error.message.startsWith('Cannot send to stdin of "sh": EPIPE'), true);
  });
});

for (const [internals, way] of WAYS) {
  Deno.test(`R50: a process that has ended takes no input, and its end is read after all that it printed${way}`, async () => {
    await run(function* () {
      const child = yield* sh("echo one; echo two", { stdin: "pipe", stdout: "pipe", internals });
      yield* child.wait();
      yield* sleep(0.05);
      const reader = new BufferedReader(child.stdout);
      assertEquals(yield* reader.readLine(), "one");
      assertEquals(yield* reader.readLine(), "two");
      assertEquals(yield* reader.readLine(), null);
      assertEquals(yield* child.stdout.recv(), null);
    });
  });
}

for (const [internals, way] of WAYS) {
  Deno.test(`R50: bytes go there and back with back pressure, whole and in order${way}`, async () => {
    const size = 3 * 1024 * 1024;
    const sent = new Uint8Array(size);
    for (let i = 0; i < size; i++) sent[i] = i * 31 + (i >> 8);
    await run(function* () {
      const child = yield* Process.start("cat", [], { stdin: "pipe", stdout: "pipe", internals });
      let place = 0;
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(function* () {
          for (let i = 0; i < size; i += 100_000) {
            yield* child.stdin.send(sent.subarray(i, i + 100_000));
          }
          yield* child.stdin.shutdown();
        }());
        for (;;) {
          const bytes = yield* child.stdout.recvView();
          if (bytes === null) break;
          for (const byte of bytes) if (byte !== sent[place++]) throw new Error(`byte ${place}`);
        }
      });
      assertEquals(place, size);
      assertEquals(yield* child.wait(), { code: 0, signal: null });
    });
  });
}

for (const [internals, way] of WAYS) {
  Deno.test(`R37: a receive that is cancelled loses no bytes${way}`, async () => {
    await run(function* () {
      const child = yield* Process.start("cat", [], { stdin: "pipe", stdout: "pipe", internals });
      assertEquals(yield* moveOnAfter(0.02, child.stdout.recv()), undefined);
      yield* child.stdin.send(bytesOf("late"));
      yield* sleep(0.05);
      assertEquals(text(yield* child.stdout.recv()), "late");
    });
  });
}

Deno.test("R50: a send that is cancelled half way breaks the input and says so; the process can be ended", async () => {
  await run(function* () {
    const child = yield* sh("exec sleep 60", { stdin: "pipe" });
    assertEquals(yield* moveOnAfter(0.05, child.stdin.send(new Uint8Array(1 << 20))), undefined);
    let error: unknown;
    try {
      yield* child.stdin.send(bytesOf("more"));
    } catch (caught) {
      error = caught;
    }
    assertEquals((error as Error).name, "BrokenResourceError");
  });
});

Deno.test("R38: two tasks that receive from one process: the second gets BusyResourceError; streams end with the scope", async () => {
  await run(function* () {
    let child!: Process;
    yield* CancelScope.open(function* () {
      child = yield* Process.start("cat", [], { stdin: "pipe", stdout: "pipe" });
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(child.stdout.recv());
        yield* sleep(0.01);
        try {
          yield* child.stdout.recv();
          throw new Error("not busy");
        } catch (error) {
          assert(error instanceof BusyResourceError);
        }
        nursery.cancel();
      });
    });
    for (const operation of [child.stdout.recv(), child.stdin.send(bytesOf("x"))]) {
      try {
        yield* operation;
        throw new Error("not closed");
      } catch (error) {
        assert(error instanceof ClosedResourceError, String(error));
        assert(/^std(out|in) of "cat" is closed$/.test(error.message), error.message);
      }
    }
  });
});

for (const [internals, way] of WAYS) {
  Deno.test(`two processes are piped as in a shell; the end goes down, and a reader that has gone goes up${way}`, async () => {
    await run(function* () {
      const numbers = yield* Process.start("seq", ["1", "50000"], { stdout: "pipe", internals });
      const tail = yield* Process.start("tail", ["-n", "2"], {
        stdin: numbers.stdout,
        stdout: "pipe",
      });
      const reader = new BufferedReader(tail.stdout);
      assertEquals([yield* reader.readLine(), yield* reader.readLine()], ["49999", "50000"]);
      assertEquals(yield* reader.readLine(), null);
      assertEquals((yield* numbers.wait()).code, 0);

      const endless = yield* Process.start("yes", [], { stdout: "pipe", stderr: "null" });
      const head = yield* Process.start("head", ["-n", "1"], {
        stdin: endless.stdout,
        stdout: "pipe",
      });
      assertEquals(yield* line(head), "y");
      assertEquals((yield* head.wait()).code, 0);
      const { code, signal } = yield* endless.wait();
      // In Node the pipes are socket pairs: where bytes are unread, an error instead of the signal.
      if (isDeno || signal !== null) assertEquals(signal, "SIGPIPE");
      assert(code !== 0);
    });
  });
}

Deno.test("an output can go to the input of a process that was started before", async () => {
  await run(function* () {
    const sort = yield* Process.start("sort", [], { stdin: "pipe", stdout: "pipe" });
    const child = yield* sh("echo b; echo a", { stdout: sort.stdin });
    assertThrows(() => child.stdout, TypeError, 'start it with { stdout: "pipe" }');
    const reader = new BufferedReader(sort.stdout);
    assertEquals([yield* reader.readLine(), yield* reader.readLine()], ["a", "b"]);
    assertEquals(yield* reader.readLine(), null);
  });
});

Deno.test("R49: cancelled, both processes of a pipe are gone, whatever waited", async () => {
  const pids: number[] = [];
  await run(moveOnAfter(0.2, function* () {
    const yes = yield* Process.start("yes", [], { stdout: "pipe" });
    const slow = yield* sh("while read -r line; do sleep 1; done", { stdin: yes.stdout });
    pids.push(yes.pid, slow.pid);
    yield* slow.wait();
  }));
  assertEquals(pids.length, 2);
  for (const pid of pids) assertEquals(membersOf(pid), []);
});

Deno.test("files: read, written anew, and written behind what is there; complete once the process has ended", async () => {
  const folder = mkdtempSync("/tmp/broomio-os-");
  try {
    writeFileSync(`${folder}/in`, "b\na\n");
    await run(function* () {
      const sort = yield* Process.start("sort", [], {
        stdin: { file: `${folder}/in` },
        stdout: { file: `${folder}/out` },
      });
      assertEquals((yield* sort.wait()).code, 0);
      // deno-lint-ignore broomio/no-blocking-call -- a file of a few bytes, in a test
      assertEquals(readFileSync(`${folder}/out`, "utf8"), "a\nb\n");
      const big = yield* sh("head -c 3000000 /dev/zero; echo error >&2", {
        stdout: { file: `${folder}/out`, append: true },
        stderr: { file: `${folder}/errors` },
      });
      yield* big.wait();
    });
    assertEquals(readFileSync(`${folder}/out`).length, 4 + 3_000_000);
    assertEquals(readFileSync(`${folder}/errors`, "utf8"), "error\n");
    const error = await errorOf(sh("true", { stdin: { file: `${folder}/none` } }));
    assert(error instanceof ProcessStartError);
    assertEquals(error.code, "ENOENT");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

Deno.test("the environment, the working directory; arguments reach a process as they are", async () => {
  await run(function* () {
    const child = yield* Process.start("sh", [
      "-c",
      'echo "$1|$A|$PWD|${HOME-none}"',
      "sh",
      "$x * 'y'",
    ], {
      cwd: new URL("file:///tmp"),
      env: { A: "a b", PATH: "/usr/bin:/bin" },
      clearEnv: true,
      stdout: "pipe",
    });
    assertEquals(yield* line(child), "$x * 'y'|a b|/tmp|none");
    const more = yield* sh('echo "$A|${PATH:+path}"', { env: { A: "1" }, stdout: "pipe" });
    assertEquals(yield* line(more), "1|path");
  });
});

Deno.test("R51: what cannot be started is a ProcessStartError with the POSIX code", async () => {
  const cases: [string, string, string[], Record<string, unknown>][] = [
    ["ENOENT", "no-such-command", [], {}],
    ["ENOENT", "/no/such/command", [], {}],
    ["EACCES", "/etc/passwd", [], {}],
    ["ENOENT", "true", [], { cwd: "/no-such-folder" }],
    ["ENOTDIR", "true", [], { cwd: "/etc/passwd" }],
    ["E2BIG", "true", ["x".repeat(300_000)], {}],
  ];
  for (const [code, command, args, options] of cases) {
    const before = children();
    const error = await errorOf(Process.start(command, args, options));
    assert(error instanceof ProcessStartError, String(error));
    assertEquals([error.code, error.command.startsWith(command)], [code, true]);
    assertEquals(/its working directory/.test(error.message), "cwd" in options);
    assertLess(error.message.length, 400);
    assertEquals(children(), before);
  }
});

Deno.test("a process that could not be started gives back the output that it was to read", async () => {
  await run(function* () {
    const child = yield* sh("echo kept", { stdout: "pipe" });
    yield* sleep(0.05);
    try {
      yield* Process.start("no-such-command", [], { stdin: child.stdout });
    } catch (error) {
      assert(error instanceof ProcessStartError);
    }
    assertEquals(yield* line(child), "kept");
  });
});

Deno.test("R40b: what is wrong is refused at the call, and an unknown option names the nearest", () => {
  const wrong: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [() => Process.start(""), RangeError, "(command)"],
    [() => Process.start(5 as never), TypeError, "(command)"],
    [() => Process.start("a\0b"), RangeError, "NUL"],
    [() => Process.start("a", "b" as never), TypeError, "(args)"],
    [() => Process.start("a", [1] as never), TypeError, "(args[0])"],
    [() => Process.start("a", ["\0"]), RangeError, "NUL"],
    [() => Process.start("a", [], { stdOut: "pipe" } as never), TypeError, '"stdout"'],
    [() => Process.start("a", [], { stdout: "piped" as never }), RangeError, "(stdout)"],
    [() => Process.start("a", [], { stdout: 1 as never }), TypeError, "(stdout)"],
    [() => Process.start("a", [], { stdin: { path: "x" } as never }), TypeError, '"file"'],
    [() => Process.start("a", [], { env: { "A=B": "c" } }), RangeError, "(env)"],
    [() => Process.start("a", [], { env: { A: 1 } as never }), TypeError, "(env.A)"],
    [() => Process.start("a", [], { cwd: new URL("http://x/y") }), RangeError, "(cwd)"],
    [() => Process.start("a", [], { grace: -1 }), RangeError, "duration"],
    [() => Process.start("a", [], { group: 1 as never }), TypeError, "(group)"],
    [() => Process.start("a", [], { internals: 1 as never }), TypeError, "(internals)"],
  ];
  for (const [call, Class, message] of wrong) assertThrows(call, Class, message);
});

Deno.test("kill sends any signal, to the process or its group, and false once it is gone", async () => {
  await run(function* () {
    const child = yield* sh(
      "trap 'echo hup' HUP; sh -c 'trap \"echo inner\" HUP; echo ready; while :; do sleep 0.02; done' & while :; do sleep 0.02; done",
      {
        stdout: "pipe",
      },
    );
    const reader = new BufferedReader(child.stdout);
    assertEquals(yield* reader.readLine(), "ready");
    assertEquals(child.kill("SIGHUP"), true);
    assertEquals(yield* reader.readLine(), "hup");
    assertEquals(child.kill("SIGHUP", { group: true }), true);
    assertEquals([yield* reader.readLine(), yield* reader.readLine()].sort(), ["hup", "inner"]);
    assertThrows(() => child.kill("SIGNOPE" as never), RangeError, "signal");
    assertThrows(() => child.kill("SIGHUP", { groups: true } as never), TypeError, '"group"');
    yield* child.stop();
    assertEquals(child.kill("SIGTERM"), false);
    assertEquals(child.kill("SIGTERM", { group: true }), false);
    assertEquals(membersOf(child.pid), []);
  });
});

Deno.test("group: false shares the group of this program, and ends the process alone", async () => {
  await run(function* () {
    let child!: Process;
    yield* CancelScope.open(function* () {
      child = yield* sh("exec sleep 60", { group: false });
      assertEquals(membersOf(child.pid), []); // it leads none
      assert(children().includes(child.pid));
    });
    assertEquals(child.status?.signal, "SIGTERM");
  });
});

Deno.test("any number of tasks wait for a process, before and after its end; a cancelled wait is forgotten", async () => {
  const log: unknown[] = [];
  await run(function* () {
    const child = yield* sh("sleep 0.1; exit 7");
    yield* moveOnAfter(0.01, child.wait());
    yield* Nursery.open(function* (nursery) {
      for (let i = 0; i < 3; i++) {
        nursery.startSoon(function* () {
          log.push((yield* child.wait()).code);
        }());
      }
    });
    log.push((yield* child.wait()).code);
  });
  assertEquals(log, [7, 7, 7, 7]);
});

Deno.test("R49: a cancel while a process is being ended does not cut that short; twice is once", async () => {
  await run(function* () {
    let child!: Process;
    yield* Nursery.open(function* (nursery) {
      const task = nursery.startSoon(function* () {
        child = yield* sh("trap '' TERM; echo ready; while :; do sleep 0.02; done", {
          stdout: "pipe",
          grace: 0.3,
        });
        yield* line(child);
      }());
      yield* sleep(0.15);
      task.cancel();
      yield* sleep(0.05);
      task.cancel();
      nursery.cancel();
    });
    assertEquals(child.status?.signal, "SIGKILL");
    assertEquals(membersOf(child.pid), []);
  });
});

Deno.test("no descriptor is left by pipes that were never touched", async () => {
  await run(sh("true", { stdin: "pipe", stdout: "pipe", stderr: "pipe" })); // what a runtime keeps for all
  await run(sleep(0.05));
  const before = descriptors();
  await run(function* () {
    for (let i = 0; i < 10; i++) {
      yield* CancelScope.open(function* () {
        yield* sh("echo x; exec sleep 60", { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
      });
    }
    yield* sleep(0.05);
  });
  // A runtime opens and closes some of its own meanwhile: the least of several counts.
  let left = descriptors();
  for (let tries = 0; left > before && tries < 20; tries++) {
    await run(sleep(0.05));
    left = Math.min(left, descriptors());
  }
  assert(left <= before, `${left} descriptors, ${before} before`);
  assertEquals(children(), []);
  await assertRejects(() => run(Process.start("no-such-command")));
});

for (const [internals, way] of WAYS) {
  Deno.test(`R50: a slow reader gets everything in order, whatever the sizes and pauses${way}`, async () => {
    const script = "for i in 1 2 3 4 5; do seq 1 20000; sleep 0.01; echo pause; done; printf end";
    let want = "";
    for (let i = 0; i < 5; i++) {
      for (let n = 1; n <= 20000; n++) want += `${n}\n`;
      want += "pause\n";
    }
    await run(function* () {
      const child = yield* sh(script, { stdout: "pipe", internals });
      let got = "";
      for (let count = 0;; count++) {
        const max = [1, 4096, 100, 65536, Infinity][count % 5];
        let bytes: Uint8Array | null | undefined;
        // Received, viewed, copied, or cancelled first.
        if (count % 7 === 3) yield* moveOnAfter(0, child.stdout.recv());
        if (count % 3 === 0) bytes = yield* child.stdout.recv(max);
        else if (count % 3 === 1) bytes = yield* child.stdout.recvView(max);
        else {
          const buffer = new Uint8Array(Math.min(max, 70_000));
          const length: number | null = yield* child.stdout.recvInto(buffer);
          bytes = length === null ? null : buffer.subarray(0, length);
        }
        if (bytes === null) break;
        if (count % 40 === 0) yield* sleep(0.002);
        got += text(bytes);
      }
      assertEquals(got.length, want.length + 3);
      assertEquals(got === want + "end", true);
      assertEquals((yield* child.wait()).code, 0);
    });
  });

  Deno.test(`R50: what was received stays as it is, also when the scope has been left${way}`, async () => {
    await run(function* () {
      const kept: Uint8Array[] = [];
      for (let i = 0; i < 3; i++) {
        yield* CancelScope.open(function* () {
          const child = yield* sh(`head -c 3000000 /dev/zero | tr '\\0' ${i}; exec sleep 60`, {
            stdout: "pipe",
            internals,
          });
          kept.push((yield* child.stdout.recv())!);
          kept.push((yield* child.stdout.recvView())!);
        });
      }
      kept.forEach((bytes, i) => {
        const byte = 48 + (i >> 1);
        assert(bytes.length > 0 && bytes.every((each) => each === byte), `chunk ${i}`);
      });
    });
  });
}

Deno.test("R50: a process that floods stderr, which nobody reads, waits, and ends with its scope", async () => {
  await run(function* () {
    let child!: Process;
    yield* CancelScope.open(function* () {
      child = yield* sh("echo out; head -c 1G /dev/zero >&2", { stdout: "pipe", stderr: "pipe" });
      assertEquals(yield* line(child), "out");
      yield* sleep(0.1);
      assertEquals(child.status, null);
    });
    assertEquals(child.status?.signal, "SIGTERM");
    assertEquals(membersOf(child.pid), []);
  });
});

Deno.test("R49: a process that dies as it starts, while it is being sent to and read from, leaves nothing", async () => {
  await run(function* () {
    for (let i = 0; i < 20; i++) {
      yield* CancelScope.open(function* () {
        const child = yield* sh("kill -KILL $$", { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
        if (i % 2) yield* sleep(0.005);
        try {
          yield* child.stdin.send(new Uint8Array(100_000));
          yield* child.stdin.shutdown();
        } catch (error) {
          assert(error instanceof SocketError && error.code === "EPIPE", String(error));
        }
        assertEquals(yield* child.stdout.recv(), null);
        assertEquals(yield* child.wait(), { code: 137, signal: "SIGKILL" });
      });
    }
  });
  assertEquals(children(), []);
});

Deno.test("stop() and wait() work any number of times, at once, and after everything", async () => {
  await run(function* () {
    let child!: Process;
    yield* CancelScope.open(function* () {
      // Without children: where zombies are not visible, one would count as alive.
      child = yield* sh("trap '' TERM; echo ready; read -r line", {
        stdin: "pipe",
        stdout: "pipe",
        grace: 0.2,
      });
      yield* line(child);
      const killed = { code: 137, signal: "SIGKILL" };
      yield* Nursery.open(function* (nursery) {
        for (const operation of [() => child.stop(), () => child.wait(), () => child.stop()]) {
          nursery.startSoon(function* () {
            assertEquals(yield* operation(), killed);
          }());
        }
      });
      assertEquals(yield* child.stop(), killed);
    });
    assertEquals((yield* child.stop()).code, 137);
    assertEquals((yield* child.wait()).code, 137);
    assertEquals([child.kill("SIGKILL"), child.kill("SIGKILL", { group: true })], [false, false]);
  });
});

Deno.test("R49: a child that leaves the group is not ended with it: that is its own affair", async () => {
  let escaped = 0;
  await run(function* () {
    yield* CancelScope.open(function* () {
      const child = yield* sh("setsid sh -c 'echo $$; exec sleep 30' & wait", {
        stdout: "pipe",
        grace: 1,
      });
      escaped = Number(yield* line(child));
    });
    assertEquals(membersOf(escaped), [escaped]);
    yield* Process.start("kill", [String(escaped)]);
    yield* sleep(0.05);
  });
  assertEquals(membersOf(escaped), []);
});

Deno.test("the errors of one process can go to the input of another, beside its output", async () => {
  await run(function* () {
    const sort = yield* Process.start("sort", [], { stdin: "pipe", stdout: "pipe" });
    const child = yield* sh("echo out; echo b >&2; echo a >&2", {
      stdout: "pipe",
      stderr: sort.stdin,
    });
    assertThrows(() => child.stderr, TypeError, 'start it with { stderr: "pipe" }');
    assertEquals(yield* line(child), "out");
    const reader = new BufferedReader(sort.stdout);
    assertEquals([yield* reader.readLine(), yield* reader.readLine()], ["a", "b"]);
  });
});
