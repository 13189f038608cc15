/**
 * Builds with dnt, which a release uses: TypeScript's own output, type-checked in both formats.
 *
 * dnt does not run the tests: `check_npm.ts` runs them all against the installed package.
 * Independent of: what is done to the package afterwards, however it was built (`finish.ts`).
 */
import { listFiles, top, workersInJavaScript, writeFile } from "./files.ts";
import { doors, FOLDER, manifest } from "./manifest.ts";
import { mendText, POLYFILL_FILE } from "./mend_dnt.ts";

/** What of dnt is used here. */
export interface Dnt {
  build(options: Record<string, unknown>): Promise<void>;
}

/** Gives dnt, or prints in a line why there is none. */
export async function loadDnt(): Promise<Dnt | string> {
  // From a variable: what stands in an import is downloaded by `deno check` and `deno install` too,
  // and fails them offline.
  const name = "@deno/dnt";
  try {
    return await import(name);
  } catch (error) {
    return `dnt cannot be downloaded: ${String(error).split("\n")[0]}`;
  }
}

/** Builds `esm/`, `script/` and `src/`. */
export async function buildWithDnt(dnt: Dnt): Promise<void> {
  await dnt.build({
    entryPoints: doors.map(({ name, source }) => ({ name, path: `./${source}` })),
    outDir: `./${FOLDER}`,
    importMap: "./deno.json",
    // None: the sources find out at run time whether there is a `Deno`, and must see the real one.
    shims: {},
    test: false,
    typeCheck: "both",
    declaration: "inline",
    declarationMap: false, // `finish.ts` adds lines to the declarations
    scriptModule: "cjs",
    esModule: true,
    compilerOptions: {
      target: "ES2022",
      lib: ["ES2022", "ESNext.Disposable", "DOM"],
      sourceMap: true,
    },
    postBuild: mend,
    // `finish.ts` writes the whole of it afterwards.
    package: {
      ...manifest(),
      exports: undefined,
      publishConfig: undefined,
      devDependencies: { "@types/node": "20" }, // for the type check
    },
  });
}

/** Mends every file of the package that dnt has written (`mend_dnt.ts`), before its type check. */
function mend(): void {
  for (const file of listFiles(top + FOLDER)) {
    const path = `${top}${FOLDER}/${file}`;
    if (POLYFILL_FILE.test(file)) Deno.removeSync(path);
    else if (/^(esm|script|src)\/.*\.[jt]s$/.test(file)) {
      const mended = mendText(Deno.readTextFileSync(path));
      writeFile(path, file.endsWith(".js") ? workersInJavaScript(mended) : mended);
    }
  }
}
