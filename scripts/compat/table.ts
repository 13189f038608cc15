/**
 * The rows of the table of runtimes, in Markdown.
 *
 * Invariant: a runtime with its version has one row; rows that are not tested again stay as they
 * are. Independent of: how tests are run.
 */
import type { Result } from "../npm/check_suite.ts";

/** A row: a runtime with its version, and what is told of it. */
export interface Row {
  /** "deno 2.9.1" */
  readonly runtime: string;
  /** How many tests passed, how many failed, and in which files. */
  readonly cells: readonly string[];
}

/** The row of a result: failures are counted by their files. */
export function rowOf({ name, passed, failures }: Result): Row {
  const counts = new Map<string, number>();
  for (const failure of failures) {
    const file = failure.match(/^(\S+?)(?:_test)?\.ts: /)?.[1] ?? failure;
    counts.set(file, (counts.get(file) ?? 0) + 1);
  }
  const where = [...counts].map(([file, count]) => count > 1 ? `${file} (${count})` : file);
  return { runtime: name, cells: [String(passed), String(failures.length), where.join(", ")] };
}

const ORDER = ["deno", "node", "bun", "Chromium", "Firefox"];

/** By runtime, the newest version first. */
function compare({ runtime: a }: Row, { runtime: b }: Row): number {
  const [kindA = "", versionA = ""] = a.split(" ");
  const [kindB = "", versionB = ""] = b.split(" ");
  return ORDER.indexOf(kindA) - ORDER.indexOf(kindB) ||
    versionB.localeCompare(versionA, "en", { numeric: true });
}

/** The rows of the first table in a Markdown text. */
function rowsOf(table: string): Row[] {
  return table.trim().split("\n").slice(2).map((line) => {
    const [runtime = "", ...cells] = line.split("|").slice(1, -1).map((cell) => cell.trim());
    return { runtime, cells };
  });
}

/** Puts rows into the first table of a Markdown text, in the place of older ones. */
export function mergeRows(markdown: string, rows: readonly Row[]): string {
  const table = markdown.match(/^\|.*\n\|[ :|-]+\|\n(?:\|.*\n)*/m)?.[0];
  if (table === undefined) throw new Error("Expected a table in the page, found none");
  const kept = rowsOf(table).filter((row) => rows.every((each) => each.runtime !== row.runtime));
  const lines = [...kept, ...rows].sort(compare)
    .map(({ runtime, cells }) => `| ${[runtime, ...cells].join(" | ")} |\n`);
  const head = table.split("\n").slice(0, 2).join("\n");
  return markdown.replace(table, () => `${head}\n${lines.join("")}`);
}
