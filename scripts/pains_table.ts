/**
 * The table of `examples/pains/`: what happens in each program, in a line. `deno task pains` checks
 * that `examples/pains/README.md` shows it; `deno task pains --write` writes it there.
 *
 * Invariant: the table is made of the `Output:` comments at the ends of the programs, which
 * `run_examples.ts` compares with what the programs really print. So no cell is an opinion.
 */
import { readExample } from "./run_examples.ts";

/** Those who are compared, in the order of the columns; the names are those of the functions. */
const SIDES = ["promises", "effection", "effect", "broomio"] as const;

/** One program: what it asks, and what each side printed. */
export interface Pain {
  readonly file: string;
  readonly question: string;
  readonly answers: ReadonlyMap<string, string>;
}

/** What a program says about itself. */
export function readPain(file: string, source: string): Pain {
  const question = source.match(/^\/\/ .*\n\/\/ (.*)\n/)?.[1];
  if (question === undefined) throw new Error(`${file}: the second line must say what it asks`);
  const answers = new Map<string, string>();
  for (const line of readExample(`examples/pains/${file}`, source).output ?? []) {
    const [, side, variant, answer] = line.match(/^(\w+)(?: ([^:]+))?: (.*)$/) ?? [];
    if (side === undefined) throw new Error(`${file}: cannot read the line ${line}`);
    const known = answers.get(side);
    answers.set(side, known === undefined ? answer! : `${known} (${variant}: ${answer})`);
  }
  for (const side of SIDES) {
    if (!answers.has(side)) throw new Error(`${file}: prints nothing about ${side}`);
  }
  return { file, question, answers };
}

/** The table, in Markdown. */
export function tableOf(pains: readonly Pain[]): string {
  const rows = pains.map(({ file, question, answers }) => [
    `[${question}](${file})`,
    ...SIDES.map((side) => answers.get(side)!),
  ]);
  return [["", "promises", "Effection 4", "Effect 4", "Broomio"], Array(5).fill("---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

const TABLE = /(?<=<!-- table -->\n\n)[^]*?(?=<!-- end of table -->)/;

if (import.meta.main) {
  const folder = new URL("../examples/pains/", import.meta.url);
  const pains = [...Deno.readDirSync(folder)]
    .filter((entry) => entry.name.endsWith(".ts"))
    .map((entry) => readPain(entry.name, Deno.readTextFileSync(new URL(entry.name, folder))))
    .sort((a, b) => a.file < b.file ? -1 : 1);
  const page = new URL("README.md", folder);
  const text = Deno.readTextFileSync(page);
  const written = text.replace(TABLE, () => `${tableOf(pains)}\n`);
  if (Deno.args.includes("--write")) {
    Deno.writeTextFileSync(page, written);
  } else if (written !== text) {
    console.error(
      "examples/pains/README.md is not what the programs print: deno task pains --write",
    );
    Deno.exit(1);
  }
  console.log(`pains: ${pains.length} programs, in the table`);
}
