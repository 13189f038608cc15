/**
 * The package's own lint rules (`src/lint`), for this repository: here a file may also import the
 * package by a relative path.
 *
 * Independent of: what the rules say; their names are those that users have,
 * `broomio/no-floating-operation`.
 */
import { isThisPackage } from "../src/lint/knowledge.ts";
import { type LintPlugin, makePlugin } from "../src/lint/plugin.ts";

const top = new URL("../", import.meta.url);

/**
 * Whether a specifier in a file means the package: by name, or as a path to `mod.ts` or into
 * `src/`.
 */
function isOurs(specifier: string, filename: string): boolean {
  if (isThisPackage(specifier)) return true;
  if (!/^\.\.?\//.test(specifier)) return false;
  const { href } = new URL(specifier, new URL(`file://${filename}`));
  return href === new URL("mod.ts", top).href || href.startsWith(new URL("src/", top).href);
}

const plugin: LintPlugin = makePlugin("broomio", isOurs);
export default plugin;
