/**
 * What is known of this package: its exports and their members, read from the table.
 *
 * Invariant: what the table does not have is unknown.
 * Independent of: the file that is looked at.
 */
import type { Node } from "./ast.ts";
import { TABLE } from "./table.ts";

/** What an expression is. */
export type Value =
  /**
   * An operation; `fn` is the `function*` of this file that made it, otherwise it is of this
   * package.
   */
  | { kind: "operation"; fn?: Node; gives?: Value }
  /** A function, method or class of this package, by its key in the table. */
  | { kind: "export"; key: string; signature: Signature }
  | { kind: "class"; name: string }
  /** An object of one of this package's types. */
  | { kind: "instance"; name: string }
  | { kind: "namespace" }
  | { kind: "function"; node: Node }
  /** A function of which only the type is known. */
  | { kind: "callable"; gives: Value }
  | { kind: "local class"; node: Node }
  | { kind: "local instance"; node: Node }
  | { kind: "object"; node: Node }
  | { kind: "array"; node: Node }
  | { kind: "promise" };

/** What a function of this package wants and gives. */
export interface Signature {
  readonly wants: readonly Argument[];
  /** As in the table: "*Task", "Task", "". */
  readonly gives: string;
}

/** What an argument must be, and what it is given where it is a function. */
export interface Argument {
  readonly kind: "" | "operation" | "operations" | "body" | "bodies" | "function";
  readonly given: readonly string[];
}

function parseSignature(line: string): Signature {
  const [, wants, gives] = /^\((.*)\) =>\s?(.*)$/.exec(line)!;
  return {
    gives,
    wants: wants === "" ? [] : wants.split(", ").map((each) => {
      const [, kind, given] = /^(\w*)(?:\((.*)\))?$/.exec(each.replace(/^,\s*/, ""))!;
      return { kind: kind as Argument["kind"], given: given?.split(" ") ?? [] };
    }),
  };
}

/** Whether a module specifier means this package. */
export function isThisPackage(specifier: string): boolean {
  return /^(?:(?:jsr|npm):\/?|https?:\/\/[^/]+\/(?:[^@]*\/)?)?@broomio\/core(?:@[^/]+)?(?:\/|$)/
    .test(specifier) ||
    /^broomio(?:\/|$)/.test(specifier);
}

/** An export of this package. */
export function exported(name: string): Value | undefined {
  const line = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (line === undefined) return undefined;
  if (line.startsWith("type")) return { kind: "class", name };
  return { kind: "export", key: name, signature: parseSignature(line) };
}

export function instance(name: string): Value | undefined {
  return Object.hasOwn(TABLE, name) && TABLE[name].startsWith("type")
    ? { kind: "instance", name }
    : undefined;
}

/** A member of one of this package's types, its own or inherited. */
export function tabled(type: string, separator: string, name: string): Value | undefined {
  const key = `${type}${separator}${name}`;
  if (Object.hasOwn(TABLE, key)) {
    const line = TABLE[key];
    if (line.startsWith(": ")) return instance(line.slice(2));
    return { kind: "export", key, signature: parseSignature(line) };
  }
  for (const parent of TABLE[type]?.split(" ").slice(1) ?? []) {
    const found = tabled(parent, separator, name);
    if (found !== undefined) return found;
  }
}

/** What each element of an argument must be, where it is several. */
export function elementOf({ kind }: Argument): Argument | undefined {
  if (kind === "operations") return { kind: "operation", given: [] };
  return kind === "bodies" ? { kind: "body", given: [] } : undefined;
}
