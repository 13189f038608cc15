/**
 * Lets ESLint and Oxlint, from npm, load the lint rules from the installed package, as the
 * documentation says.
 *
 * Invariant: both find the same in one program. What each rule finds is tested in `tests/lint`.
 */
import { run, tryRun, writeFile } from "./files.ts";
import { doors, importName } from "./manifest.ts";
import type { Sandbox } from "./sandbox.ts";

const PROGRAM = `import { sleep } from "@broomio/core";
export function* main() {
  sleep(1);
  yield sleep(2);
  try {
    yield* sleep(3);
  } finally {
    yield* sleep(4);
  }
}
`;

/** The rules that a tool must name, by line. */
const EXPECTED = ["3 no-floating-operation", "4 yield-star", "8 no-unshielded-cleanup"];

interface EslintFile {
  messages: { line: number; ruleId: string }[];
}
interface OxlintResult {
  diagnostics: { code: string; labels: { span: { line: number } }[] }[];
}

/** What a tool prints as JSON; it ends with a failure, since it finds something. */
async function json(program: string, args: string[], cwd: string): Promise<string> {
  const { text } = await tryRun(program, args, { cwd });
  return text;
}

function expect(by: string, found: string[]): string {
  if (found.join() !== EXPECTED.join()) {
    throw new Error(`${by} found ${found.join(", ") || "nothing"}`);
  }
  return `${by} finds ${found.length} mistakes`;
}

/** Runs both; gives a line for each and each version of Node. */
export async function checkLint(sandbox: Sandbox): Promise<string[]> {
  const folder = `${sandbox.folder}/lint`;
  const door = importName(doors.find((each) => each.name === "./lint")!);
  writeFile(`${folder}/program.mjs`, PROGRAM);
  writeFile(
    `${folder}/esm.config.mjs`,
    `import broomio from "${door}";\nexport default [broomio.configs.recommended];\n`,
  );
  writeFile(
    `${folder}/script.config.cjs`,
    `module.exports = [require("${door}").default.configs.recommended];\n`,
  );
  const lines: string[] = [];
  const node = sandbox.runtimes.filter((each) => each.name.startsWith("node"));
  for (const { name, program } of node) {
    for (const config of ["esm.config.mjs", "script.config.cjs"]) {
      const eslint = `${sandbox.folder}/node_modules/eslint/bin/eslint.js`;
      const said = await json(program, [eslint, "-c", config, "-f", "json", "program.mjs"], folder);
      const [{ messages }] = JSON.parse(said) as [EslintFile];
      const found = messages.map(({ line, ruleId }) => `${line} ${ruleId.replace("broomio/", "")}`);
      lines.push(expect(`${name}: ESLint with ${config}`, found));
    }
    // In JSON every rule is named; the names come from the package itself.
    const rules = await run(program, [
      "--input-type=module",
      "-e",
      `import broomio from "${door}"; console.log(JSON.stringify(broomio.configs.recommended.rules));`,
    ], { cwd: folder });
    writeFile(
      `${folder}/.oxlintrc.json`,
      `{ "jsPlugins": ["${door}"], "plugins": [], "categories": { "correctness": "off" }, "rules": ${rules} }`,
    );
    const oxlint = `${sandbox.folder}/node_modules/oxlint/bin/oxlint`;
    const said = await json(program, [oxlint, "--format", "json", "program.mjs"], folder);
    const { diagnostics } = JSON.parse(said.slice(0, said.lastIndexOf("}") + 1)) as OxlintResult;
    const found = diagnostics.map(({ code, labels }) =>
      `${labels[0]!.span.line} ${code.replace(/^broomio\((.*)\)$/, "$1")}`
    ).sort();
    lines.push(expect(`${name}: Oxlint`, found));
  }
  return lines;
}
