/**
 * Converts the tests so that they run on Node and Bun against an installed package.
 *
 * Each TypeScript file under `tests/` becomes one of JavaScript, in the same place under another
 * folder; nothing is bundled. What it imports from `mod.ts` and `src/` comes from the installed
 * package, in the same format, so that there is one copy of each class.
 */
import { build, type Plugin } from "esbuild";
import { listFiles, top } from "./files.ts";
import { NAME } from "./manifest.ts";
import { isSkipped } from "./skips.ts";

/** Test files that run on npm's runtimes, as paths from `tests/`. */
export function testFiles(): string[] {
  return listFiles(`${top}tests`).filter((file) => /_test\.ts$/.test(file) && !isSkipped(file));
}

/** A format of the package: of its folders, and of the files that are made here. */
export type Format = "esm" | "script";

/** The ending of files in a format. */
export const extensionOf = (format: Format): string => format === "esm" ? ".mjs" : ".cjs";

/**
 * Converts all tests, and what they need, into `folder`; gives the files to run. Their names end in
 * `extension`: Bun follows no source maps, so where it is to name files as tests expect, they must
 * be called that.
 */
export async function convertTests(
  folder: string,
  installed: string,
  format: Format,
  extension: string = extensionOf(format),
): Promise<string[]> {
  const script = format === "script";
  const existing = new Set(listFiles(`${top}tests`)); // some workers are meant to be missing
  const done = new Set<string>();
  for (let pending = testFiles(); pending.length > 0;) {
    const found = new Set<string>();
    await build({
      absWorkingDir: `${top}tests`,
      entryPoints: pending,
      outbase: ".",
      outdir: folder,
      outExtension: { ".js": extension },
      bundle: true, // or else the plugin is not asked; everything is external
      format: script ? "cjs" : "esm",
      target: "es2022",
      platform: "node",
      logLevel: "warning",
      keepNames: true,
      sourcemap: "inline",
      define: { Deno: "denoForTests", ...script && { "import.meta.url": "importMetaUrl" } },
      banner: {
        js: 'const denoForTests = globalThis[Symbol.for("broomio.deno")];' +
          (script
            ? 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;'
            : ""),
      },
      plugins: [redirect(installed, format, extension, found)],
    });
    for (const file of pending) done.add(file);
    pending = [...found].filter((file) =>
      !done.has(file) && existing.has(file) && !(script && isModuleOnly(file))
    );
  }
  return testFiles().map((file) => `${folder}/${file.replace(/\.ts$/, extension)}`);
}

/**
 * Whether a file awaits at its top, as some programs do that tests of Deno run: CommonJS cannot.
 */
const isModuleOnly = (file: string) =>
  /^(?!\/|export |async )(?:\S.*\b)?await /m.test(Deno.readTextFileSync(`${top}tests/${file}`));

/**
 * Sends every import to where it is found once converted and installed; notes what else of `tests/`
 * is needed.
 */
function redirect(
  installed: string,
  format: Format,
  extension: string,
  found: Set<string>,
): Plugin {
  const external = (path: string) => ({ path, external: true });
  const inTests = (source: string, from: string) => {
    found.add(source.slice(`${top}tests/`.length));
    const up = "../".repeat(from.slice(top.length).split("/").length - 1);
    const way = (up || "./") + source.slice(`${top}tests/`.length);
    return way.replace(/\.ts$/, extension);
  };
  const place = (path: string, from: string) => {
    const source = new URL(path, `file://${from}`).pathname;
    return source.startsWith(`${top}tests/`)
      ? inTests(source, from.slice(0, from.lastIndexOf("/")))
      : `${installed}/${format}/${source.slice(top.length).replace(/\.ts$/, ".js")}`;
  };
  return {
    name: "redirect",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, kind, resolveDir }) => {
        if (kind === "entry-point") return undefined;
        if (path === "@std/assert") {
          return external(inTests(`${top}tests/std/assert.ts`, resolveDir));
        }
        if (path.startsWith(`jsr:${NAME}`)) return external(path.slice("jsr:".length));
        return external(path.startsWith(".") ? place(path, `${resolveDir}/`) : path);
      });
      // The scripts and modules that workers run.
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
        contents: (await Deno.readTextFile(path)).replace(
          /new URL\("(\.[^"\n]*\.ts)", import\.meta\.url\)/g,
          (_, worker) => `new URL("${place(worker, path)}", import.meta.url)`,
        ),
        loader: "ts",
      }));
    },
  };
}
