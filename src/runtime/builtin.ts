/**
 * builtin: how modules that are built into a runtime ("node:net", "node:fs") are obtained.
 *
 * They are asked for when they are first needed, and never imported: so a bundle for a browser does
 * not name them, and a door that is not used loads nothing. Independent of: which modules there
 * are.
 */
import { globals } from "./globals.ts";

/** A built-in module, or `undefined` where this runtime does not have it. */
export function builtin<T>(name: string): T | undefined {
  // Called as a method: Deno's reads `this`.
  return globals.process?.getBuiltinModule?.(name) as T | undefined;
}
