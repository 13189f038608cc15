/** Processes where the system runs out of descriptors, or gives a number again. */
import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { programFlags, run } from "./support.ts";
import { runProcess } from "../../src/os/mod.ts";

const program = new URL("./storm_program.ts", import.meta.url).pathname;

/** Runs a program under what a shell sets up first. */
async function lines(setUp: string, name: string): Promise<string[]> {
  const args = ["-c", `${setUp}`, "sh", Deno.execPath(), ...programFlags, program, name];
  const { stdout, stderr } = await run(runProcess("sh", args, { check: false, timeout: 60 }));
  return [...stdout.trimEnd().split("\n"), ...(stderr === "" ? [] : [stderr])];
}

Deno.test("R51: a storm of starts that fills the table of descriptors is EMFILE, and leaves nothing", async () => {
  assertEquals(await lines('ulimit -n 80; exec "$@"', "storm"), [
    "true EMFILE true",
    "true EMFILE true",
    "works again",
  ]);
});

/** Whether this user may have a namespace of its own for numbers of processes. */
const mayIsolate =
  spawnSync("unshare", ["-pf", "--mount-proc", "true"], { stdio: "ignore" }).status === 0;

Deno.test({
  name: "R49: a process that was given the number of a group that is gone is left alone",
  ignore: !mayIsolate,
  async fn() {
    // The shell is the first process there: it collects what the group leaves.
    assertEquals(
      await lines(`exec unshare -pf --mount-proc sh -c '"$@"; exit $?' sh "$@"`, "reuse"),
      [
        "same number: true",
        "signalled: false",
        "the stranger: alive",
        "then: SIGTERM",
      ],
    );
  },
});
