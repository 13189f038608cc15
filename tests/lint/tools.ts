/**
 * The three tools that load the rules, each made to say where it reports what: Deno's lint, ESLint
 * and Oxlint.
 *
 * Invariant: the rules are loaded as they are, `src/lint/mod.ts`, by each tool's own way.
 */
import * as typescript from "@typescript-eslint/parser";
import { Linter } from "eslint";
import config from "../../deno.json" with { type: "json" };
import plugin from "../../src/lint/mod.ts";

const OXLINT = config.imports.oxlint;
const door = new URL("../../src/lint/mod.ts", import.meta.url);

/** Something that a tool reported: "yield-star at 12: message". */
export type Report = string;

/** A file to lint. */
export interface Source {
  /** With an extension: ".ts", ".mjs". */
  readonly name: string;
  readonly text: string;
}

const show = (rule: string, offset: number, message: string): Report =>
  `${rule} at ${offset}: ${message}`;

/** What a file looks like after its fixes, of which none overlap. */
function applyFixes(text: string, fixes: { range: readonly number[]; text?: string }[]): string {
  return fixes.toSorted((a, b) => b.range[0] - a.range[0])
    .reduce(
      (all, each) => all.slice(0, each.range[0]) + (each.text ?? "") + all.slice(each.range[1]),
      text,
    );
}

/** Deno's lint. */
export function runDeno({ name, text }: Source): { reports: Report[]; fixed: string } {
  const found = Deno.lint.runPlugin(plugin, name, text);
  const fixes = found.flatMap((each) => each.fix ?? []).map(({ range, text }) => ({ range, text }));
  return {
    reports: found.map(({ id, range, message }) =>
      show(id.replace("broomio/", ""), range[0], message)
    ).sort(),
    fixed: applyFixes(text, fixes),
  };
}

/**
 * ESLint, with its flat configuration; the parser is TypeScript's for `.ts`, otherwise ESLint's
 * own.
 */
export function runEslint({ name, text }: Source): { reports: Report[]; fixed: string } {
  const { recommended } = plugin.configs;
  const linter = new Linter();
  const sourceType = name.endsWith(".cjs") ? "commonjs" as const : "module" as const;
  const found = linter.verify(text, [
    { ...recommended, files: ["**/*"], languageOptions: { sourceType } },
    { files: ["**/*.ts", "**/*.tsx"], languageOptions: { parser: typescript } },
  ], name);
  const lines = text.split("\n");
  const offsetOf = (line: number, column: number) =>
    lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  return {
    reports: found.map(({ ruleId, line, column, message }) =>
      show((ruleId ?? "fatal").replace("broomio/", ""), offsetOf(line, column), message)
    ).sort(),
    fixed: applyFixes(text, found.flatMap((each) => each.fix ?? [])),
  };
}

/**
 * Oxlint: a process of its own, for all the files at once. Gives the reports and the fixed text of
 * each, by name.
 */
export async function runOxlint(
  sources: readonly Source[],
): Promise<Map<string, { reports: Report[]; fixed: string }>> {
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    for (const { name, text } of sources) await Deno.writeTextFile(`${folder}/${name}`, text);
    await Deno.writeTextFile(`${folder}/plugin.ts`, `export { default } from "${door.href}";\n`);
    const settings = {
      jsPlugins: ["./plugin.ts"],
      plugins: [],
      categories: { correctness: "off" },
      rules: plugin.configs.recommended.rules,
    };
    await Deno.writeTextFile(`${folder}/.oxlintrc.json`, JSON.stringify(settings));
    const run = async (...options: string[]): Promise<string> => {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--quiet", "--no-lock", "--node-modules-dir=none", OXLINT],
          ...["-c", `${folder}/.oxlintrc.json`, ...options, folder],
        ],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder().decode(stdout);
      if (text === "") throw new Error(new TextDecoder().decode(stderr));
      return text;
    };
    const said = await run("--format", "json");
    const { diagnostics, number_of_files } = JSON.parse(said.slice(0, said.lastIndexOf("}") + 1));
    if (number_of_files < sources.length) throw new Error(`Oxlint saw ${number_of_files} files`);
    const results = new Map(
      sources.map(({ name, text }) => [name, { reports: [] as Report[], fixed: text }]),
    );
    for (const { code, message, filename, labels: [{ span }] } of diagnostics) {
      const rule = /^broomio\((.*)\)$/.exec(code)?.[1] ?? `${code}`;
      results.get(filename.split("/").at(-1))!.reports.push(show(rule, span.offset, message));
    }
    await run("--fix", "--format", "json");
    for (const [name, result] of results) {
      result.reports.sort();
      result.fixed = await Deno.readTextFile(`${folder}/${name}`);
    }
    return results;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
