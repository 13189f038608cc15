/**
 * Terminal: where a program that takes long can say how far it is, by what Node, Deno and Bun have
 * in common.
 *
 * Invariant: it asks for no permission. What the program may not read, such as an environment
 * variable in Deno, counts as not set.
 */
import { globals } from "./globals.ts";

/** What a person looks at while the program runs. */
export interface Terminal {
  /** How many characters a line has. */
  readonly columns: number;
  /** Writes to it, as it is. */
  write(text: string): void;
}

/** The slice of `process.stderr` that is used here. */
interface Stderr {
  isTTY?: boolean;
  columns?: number;
  write?(text: string): unknown;
}

/** The width of a terminal that does not tell it. */
const COLUMNS = 80;

/**
 * The terminal to which errors go. Undefined where they go elsewhere (a file, a pipe, a browser),
 * in CI (`CI` is set), and in a test runner that says so (`NODE_ENV` is "test").
 */
export function findTerminal(): Terminal | undefined {
  const stderr = globals.process?.stderr as Stderr | undefined;
  if (stderr?.isTTY !== true || typeof stderr.write !== "function") return undefined;
  if (environment("CI") || environment("NODE_ENV") === "test") return undefined;
  return {
    columns: stderr.columns || COLUMNS,
    write: (text) => void stderr.write!(text),
  };
}

function environment(variable: string): string | undefined {
  try {
    const permission = globals.Deno?.permissions?.querySync?.({ name: "env", variable });
    if (permission !== undefined && permission.state !== "granted") return undefined;
    return globals.process?.env?.[variable];
  } catch {
    return undefined;
  }
}
