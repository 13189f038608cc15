/**
 * Builds with dnt, which a release uses: TypeScript's own output, type-checked, tests included.
 *
 * Must never know: what is done to the package afterwards, however it was built (`finish.ts`).
 */
import { doors, FOLDER, manifest } from "./manifest.ts";
import { portableTests } from "./tests.ts";

/** What of dnt is used here. */
export interface Dnt {
  build(options: Record<string, unknown>): Promise<void>;
}

/** Gives dnt, or says in a line why there is none. */
export async function loadDnt(): Promise<Dnt | string> {
  // From a variable: what stands in an import is downloaded by `deno check` and `deno install` too, and fails them offline.
  const name = "@deno/dnt";
  try {
    return await import(name);
  } catch (error) {
    return `dnt cannot be downloaded: ${String(error).split("\n")[0]}`;
  }
}

/** Builds `esm/`, `script/` and `src/`, and runs with Node the tests that need nothing of Deno but `Deno.test`. */
export async function buildWithDnt(dnt: Dnt): Promise<void> {
  const tests = portableTests().map((path) => path.replace(/\.ts$/, ""));
  await dnt.build({
    entryPoints: doors.map(({ name, source }) => ({ name, path: `./${source}` })),
    outDir: `./${FOLDER}`,
    importMap: "./deno.json",
    // In tests alone. The sources find out at run time whether there is a `Deno`, and must see the real one.
    shims: { deno: { test: "dev" } },
    test: true,
    testPattern: `tests/{${tests.join(",")}}.ts`,
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
    // Its `type` would make dnt's own test runner an ES module; `finish.ts` writes the whole of it.
    package: { ...manifest(), type: undefined, exports: undefined, publishConfig: undefined },
  });
}
