/**
 * What a rule is, and what it reports.
 *
 * Invariant: a fix never changes what a program that worked does: it is given only for code that
 * fails, or means the same.
 */
import type { Node } from "./ast.ts";
import type { Values } from "./values.ts";

/** One finding. */
export interface Finding {
  readonly node: Node;
  /** What is wrong, and what to write. */
  readonly message: string;
  /** A stretch of the source, and what to put there. */
  readonly fix?: { readonly range: readonly [number, number]; readonly text: string };
}

/** A lint rule: looks at a whole file that has to do with this package. */
export interface Rule {
  readonly description: string;
  readonly fixable?: true;
  check(file: Values, text: (node: Node) => string): Iterable<Finding>;
}

/**
 * How a call is named in a message: `sleep()`, `stream.send()`; a long one is cut down to its last
 * name.
 */
export function nameOfCall(call: Node, text: (node: Node) => string): string {
  const callee = text(call.callee).replace(/\s+/g, " ");
  return `${callee.length > 40 ? callee.split(".").at(-1)!.slice(-40) : callee}()`;
}
