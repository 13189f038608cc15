/**
 * Each rule finds what is wrong and is silent on what is right, in Deno's lint, in ESLint and in
 * Oxlint alike.
 */
import { assertEquals } from "@std/assert";
import plugin from "../../src/lint/mod.ts";
import { CASES, type Cases, whole } from "./cases/mod.ts";
import { type Report, runDeno, runEslint, runOxlint, type Source } from "./tools.ts";

const MARK = "/*!*/";

interface Program extends Source {
  /** Where the rule must report, as offsets. */
  readonly expected: number[];
  readonly fixed?: string;
}

/**
 * Programs of JavaScript alone, so that the parser of each tool is tried without TypeScript too.
 */
function extension(code: string): string {
  if (code.includes("require(")) return "cjs";
  if (code.includes("</")) return "tsx";
  return whole(code) === code && !/: [a-zA-Z(]+[,)]|import type/.test(code) ? "mjs" : "ts";
}

function programs(rule: string, { right, wrong }: Cases): Program[] {
  const all = [
    ...right.map((code) => ({ code, fixed: undefined })),
    ...wrong.map((each) => typeof each === "string" ? { code: each, fixed: undefined } : each),
  ];
  return all.map(({ code, fixed }, i) => {
    const marked = whole(code).split(MARK);
    let offset = 0;
    const expected = marked.slice(0, -1).map((part) => offset += part.length);
    return {
      name: `${rule}_${i}.${extension(code)}`,
      text: marked.join(""),
      expected,
      fixed: fixed && whole(fixed),
    };
  });
}

const PROGRAMS = Object.entries(CASES).map(([rule, cases]) => ({
  rule,
  rights: cases.right.length,
  programs: programs(rule, cases),
}));

let oxlint: ReturnType<typeof runOxlint> | undefined;

/** One process for all programs of all rules. */
const oxlintOnce = () => oxlint ??= runOxlint(PROGRAMS.flatMap((each) => each.programs));

function places(reports: readonly Report[], rule: string): number[] {
  return reports.filter((each) => each.startsWith(`${rule} at `))
    .map((each) => Number(/ at (\d+)/.exec(each)![1])).sort((a, b) => a - b);
}

Deno.test("R61: every rule has programs that are right and programs that are wrong", () => {
  assertEquals(Object.keys(CASES).sort(), Object.keys(plugin.rules).sort());
  for (const { right, wrong } of Object.values(CASES)) {
    assertEquals([right.length > 1, wrong.length > 1], [true, true]);
  }
});

for (const { rule, rights, programs } of PROGRAMS) {
  Deno.test(`R61: ${rule} finds what is wrong and nothing else, in Deno, ESLint and Oxlint`, async () => {
    const oxlint = await oxlintOnce();
    for (const [i, program] of programs.entries()) {
      const { name, text, expected, fixed } = program;
      const deno = runDeno(program);
      // All rules are on: what is right for one is right for all.
      if (i < rights) assertEquals(deno.reports, [], text);
      else {assertEquals(
          places(deno.reports, rule),
          expected,
          `${text}\n${deno.reports.join("\n")}`,
        );}
      const eslint = runEslint(program);
      assertEquals(eslint.reports, deno.reports, `ESLint: ${text}`);
      assertEquals(oxlint.get(name)!.reports, deno.reports, `Oxlint: ${text}`);
      if (fixed !== undefined) {
        for (const tool of [deno, eslint, oxlint.get(name)!]) assertEquals(tool.fixed, fixed);
      }
    }
  });
}
