/**
 * Runs small programs against the installed package, on every runtime, as ES modules and as
 * CommonJS.
 *
 * Invariant: each prints what its closing comment says; the first are the README's, but for its
 * server, which on Node is given one.
 */
import { transform } from "esbuild";
import { certificates } from "../../tests/support/certificates.ts";
import { programsOf } from "../readme_programs.ts";
import { matchesOutput } from "../run_examples.ts";
import { top, tryRun, writeFile } from "./files.ts";
import { NAME } from "./manifest.ts";
import type { Sandbox } from "./sandbox.ts";
import { extensionOf, type Format } from "./tests.ts";

/** A program, as TypeScript that an npm user writes. */
export interface Program {
  readonly name: string;
  /** `extension` is the extension of the files that it names, such as ".mjs". */
  source(extension: string): string;
  /** The lines it prints; none where others run it. */
  readonly output: readonly string[] | undefined;
}

const outputOf = (text: string) =>
  text.match(/\/\* Output:\n([^]*?)\*\/\s*$/)?.[1]?.trimEnd().split("\n");

function program(name: string, text: string, output = outputOf(text)): Program {
  const own = text.replaceAll(`jsr:${NAME}`, NAME).replace(/\/\* Output:[^]*/, "");
  return {
    name,
    output,
    source: (extension) => own.replace(/"(\.\/\w+)\.ts"/g, `"$1${extension}"`),
  };
}

/** The README's first program. */
export function readmeProgram(): Program {
  return readmePrograms()[0]!;
}

/** The README's programs, the three sleepers first. */
function readmePrograms(): Program[] {
  const example = Deno.readTextFileSync(`${top}examples/three_sleepers.ts`);
  const [first, ...others] = programsOf(Deno.readTextFileSync(`${top}README.md`));
  return [
    program("readme", first!.text, outputOf(example)),
    ...others.filter((each) => !each.request).map(({ file, text, output, outputBlock }) =>
      // A long output has names of files and numbers of lines, which are others here.
      program(
        `readme_${file.replace(/\.ts$/, "")}`,
        text,
        outputBlock === undefined ? [...output!] : [output![0]!, "..."],
      )
    ),
  ];
}

/** All programs, the README's first. Each on every runtime. */
export function programs(): Program[] {
  const names = ["tcp_echo", "tls_echo", "pool", "pool_worker", "signals", "portal"];
  return [
    ...readmePrograms(),
    ...names.map((name) =>
      program(name, Deno.readTextFileSync(`${top}scripts/npm/programs/${name}.ts`))
    ),
  ];
}

/**
 * Runs them all; gives a line for each runtime, and throws where a program prints something else
 * than it says.
 */
export async function checkPrograms(sandbox: Sandbox): Promise<string[]> {
  const { ca, localhost } = certificates();
  const env = { BROOMIO_IDENTITY: JSON.stringify({ ca, ...localhost }) };
  const lines: string[] = [];
  for (const runtime of sandbox.runtimes) {
    const ran: string[] = [];
    for (const format of ["esm", "script"] as const) {
      const folder = `${sandbox.folder}/programs-${format}`;
      const chosen = programs().filter((each) => format === "esm" || !isModuleOnly(each));
      for (const each of chosen) {
        writeFile(`${folder}/${each.name}${extensionOf(format)}`, await compile(each, format));
      }
      for (const { name, output } of chosen) {
        if (output === undefined) continue;
        const file = `${folder}/${name}${extensionOf(format)}`;
        const { success, text } = await tryRun(runtime.program, [file], { cwd: folder, env });
        if (!success || !matchesOutput(text.trimEnd().split("\n"), output)) {
          throw new Error(`${name} as ${format}, on ${runtime.name}, printed\n${text}`);
        }
        ran.push(format === "esm" ? name : `${name} (CommonJS)`);
      }
    }
    lines.push(`${runtime.name}: ${ran.join(", ")}`);
  }
  return lines;
}

/** CommonJS has no `await` at the top. */
const isModuleOnly = (program: Program) => /^await /m.test(program.source(""));

async function compile(program: Program, format: Format): Promise<string> {
  const script = format === "script";
  const { code } = await transform(program.source(extensionOf(format)), {
    loader: "ts",
    format: script ? "cjs" : "esm",
    platform: "node", // which names a script's exports, for those who import it
    target: "es2022",
    define: script ? { "import.meta.url": "importMetaUrl" } : {},
    banner: script ? 'const importMetaUrl = require("node:url").pathToFileURL(__filename);' : "",
  });
  return code;
}
