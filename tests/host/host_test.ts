/** The default host in real time (R5, R8, R35), in Deno and, bundled, in Node. */
import { assert, assertEquals } from "@std/assert";
import { measure, type Measurements } from "./scenarios.ts";

/** Bundles the program for Node and runs it there. */
async function measureInNode(): Promise<Measurements> {
  const bundle = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", new URL("./node_program.ts", import.meta.url).pathname],
  }).output();
  assert(bundle.success, new TextDecoder().decode(bundle.stderr));
  const node = new Deno.Command("node", {
    args: ["--input-type=module", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = node.stdin.getWriter();
  await writer.write(bundle.stdout);
  await writer.close();
  return JSON.parse(new TextDecoder().decode((await node.output()).stdout));
}

for (const [runtime, run] of [["Deno", measure], ["Node", measureInNode]] as const) {
  Deno.test(`the default host on ${runtime}`, async (t) => {
    const measured = await run();

    for (const by of ["starvedByCheckpoints", "starvedByPromises", "starvedBySleeps"] as const) {
      await t.step(`R5: ${by}: timers and an echo server go on`, () => {
        const { ticks, trips } = measured[by];
        // Every 10 ms or so is 40 in 400 ms; a quarter of that, because this machine may be busy.
        // Starving gives 0 or 1.
        assert(ticks >= 10, `${ticks} ticks of 5 ms in 400 ms`);
        assert(trips >= 10, `${trips} round trips in 400 ms`);
      });
    }
    await t.step("R8: a million sleeping tasks use one host timer", () => {
      assertEquals(measured.million.atOnce, 1);
      assert(measured.million.made < 1000, `${measured.million.made} timers were made`);
    });
    await t.step("a sleep longer than the host's longest timer does not fire at once", () => {
      assert(measured.longSleep.longest < 2 ** 31);
      assert(measured.longSleep.made < 20, `${measured.longSleep.made} timers were made`);
    });
    await t.step("R35: a task sees the store of the run() call, whoever woke or started it", () => {
      const expected = {
        task: ["run", "run", "run", "run", "run"],
        child: ["run", "run"],
        guest: ["run"],
      };
      assertEquals(measured.contextOfRun, expected);
      assertEquals(measured.contextOfRunOnVirtualClock, expected);
    });
    await t.step("R35: with asyncContext, that of the code that started it", () => {
      assertEquals(measured.contextOfStarter, {
        task: ["starter", "starter", "starter", "starter", "starter"],
        child: ["parent", "parent"],
        guest: ["waker"],
      });
    });
    await t.step("R8: a sleep never ends early", () => {
      assert(measured.punctuality >= 0, `${measured.punctuality} ms`);
    });
  });
}
