/** Progress on a real terminal: programs that explore for long, run by `script`, which gives them one. */
import { assertEquals, assertMatch } from "@std/assert";

const FROM_TOP = (path: string) => new URL(`../../${path}`, import.meta.url).href;

const PROGRAM = `
import { checkpoint, Nursery } from "${FROM_TOP("mod.ts")}";
import { explore } from "${FROM_TOP("src/testing/mod.ts")}";
function* walk() {
  for (let i = 0; i < 20; i++) yield* checkpoint();
}
const program = () => Nursery.open(function* (nursery) {
  for (let i = 0; i < 2; i++) nursery.startSoon(walk());
});
await explore(program, { schedules: Infinity, seconds: 1.5, progress: PROGRESS });
console.log("done");
`;

const hasScript = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" })
    .output().then(({ success }) => success, () => false);

/** What is seen on a terminal in which the program runs. */
async function seen(progress: boolean, flags: string, env: Record<string, string>) {
  const file = await Deno.makeTempFile({ dir: "/tmp", suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, PROGRAM.replace("PROGRESS", String(progress)));
    const command = `"${Deno.execPath()}" run --quiet --no-check --no-config ${flags} ${file}`;
    const { stdout } = await new Deno.Command("script", {
      args: ["-qec", command, "/dev/null"],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH")!, HOME: Deno.env.get("HOME") ?? "/tmp", ...env },
      stdin: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test({
  name: "R53: a long exploration says on a terminal how far it is, without any permission",
  ignore: !hasScript,
  async fn() {
    const text = await seen(true, "--deny-env", {});
    const [, line] = text.split("\r\x1b[K");
    assertMatch(line, /^explore: [\d,]+ schedules, 1 of 2 s, mixed \(\w+\)$/);
    assertEquals(text.split("\r\x1b[K").at(-1), "done\r\n");
  },
});

Deno.test({
  name: "R53: progress is not shown in CI, nor in a test runner, nor where it is switched off",
  ignore: !hasScript,
  async fn() {
    const cases = [
      seen(true, "--allow-env", { CI: "true" }),
      seen(true, "--allow-env", { NODE_ENV: "test" }),
      seen(false, "", {}),
    ];
    assertEquals(await Promise.all(cases), ["done\r\n", "done\r\n", "done\r\n"]);
  },
});
