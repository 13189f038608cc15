/**
 * Keeps `src/` in layers: reads every import and refuses those that point the wrong way.
 *
 * Invariant, when it passes: a file imports values only from its own layer or an earlier one in
 * `LAYERS`, folders do not import each other except where `BASE` and `DOORS` say so, adapters are
 * leaves, nothing comes from outside the package but `node:*` in adapters, no import cycle exists,
 * and every file is placed and short, and so is every line of a comment. An `import type` is gone when compiled, so it may point to a
 * later layer, but not sideways. Names of runtimes are checked by `lint_plugin.ts`.
 *
 * The imports come from `deno info`, which parses the files as Deno itself does.
 */
import { ADAPTER } from "./lint_plugin.ts";

/**
 * From the bottom to the top: a file may use its own layer and the earlier ones. A name with a
 * slash is a folder. A new file or folder directly in `src/` is added here.
 */
export const LAYERS: readonly string[] = [
  "check.ts",
  "duration.ts",
  "host.ts",
  "runtime/",
  "kernel/",
  "stream.ts",
  "loop.ts",
  "operations/",
  "sync/",
  "channel/",
  "interop/",
  "bytes/",
  "net/",
  "http/",
  "os/",
  "pool/",
  "testing/",
  "trace/",
  "lint/",
];

/** Folders that every later layer may use. */
const BASE: readonly string[] = ["runtime/", "kernel/", "operations/"];

/**
 * Folders with a door of their own, which `mod.ts` must not pull in, and what each may use besides
 * `BASE`.
 */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "bytes/": ["interop/"], // no door: the halves of streams that doors have in common
  "net/": ["sync/", "channel/", "interop/", "bytes/"],
  "http/": ["sync/", "channel/", "interop/"],
  "os/": ["sync/", "channel/", "interop/", "bytes/"],
  "pool/": ["sync/", "channel/", "interop/"],
  "testing/": ["sync/", "channel/", "interop/", "net/"],
  "trace/": ["sync/", "channel/", "interop/", "net/"],
  "lint/": [],
};

const MAX_LINES = 450;
const MANY_LINES = 250;
/** For comments; `deno fmt` sees to the code, and leaves comments as they are. */
const MAX_COLUMNS = 100;

/**
 * One import: paths from the top of the repository, or, for what is not a file of ours, the
 * specifier.
 */
export interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** The entry of `LAYERS` that a file of `src/` belongs to. */
function layerOf(file: string): string | undefined {
  const name = file.slice("src/".length);
  return LAYERS.find((layer) => layer.endsWith("/") ? name.startsWith(layer) : name === layer);
}

/** The folder of a file, where that is a folder of one runtime; else the file itself. */
function folderOf(file: string): string {
  return /^src\/\w+\/(deno|node|bun)\//.exec(file)?.[0] ?? file;
}

/** What is wrong with one import, or undefined. */
function problemOf({ from, to, typeOnly }: Import): string | undefined {
  const toAdapter = ADAPTER.test(to);
  if (!to.startsWith("src/")) {
    if (ADAPTER.test(from) && to.startsWith("node:")) return;
    return "the package depends on nothing; only adapters import `node:*`";
  }
  const target = layerOf(to);
  if (from === "mod.ts") {
    return target && target in DOORS ? "it has a door of its own" : undefined;
  }
  const source = layerOf(from);
  if (source === undefined || target === undefined) return; // reported once, as a file not placed
  if (source === target) {
    // The files of one runtime's folder are one adapter.
    const isApart = toAdapter && ADAPTER.test(from) && folderOf(from) !== folderOf(to);
    return isApart ? "adapters do not know each other" : undefined;
  }
  if (toAdapter) return "only its own folder imports an adapter";
  const sideways = source.endsWith("/") && target.endsWith("/") && !BASE.includes(source) &&
    !BASE.includes(target) && !DOORS[source]?.includes(target);
  if (sideways) return "folders do not import sideways";
  if (!typeOnly && LAYERS.indexOf(target) > LAYERS.indexOf(source)) {
    return `${target} is above ${source} in the layers; a type may come by \`import type\``;
  }
}

/** The first import cycle found among values, as the files on it, or undefined. */
export function findCycle(imports: readonly Import[]): string[] | undefined {
  const targets = Map.groupBy(imports.filter((each) => !each.typeOnly), (each) => each.from);
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): string[] | undefined {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return;
    done.add(file);
    path.push(file);
    for (const { to } of targets.get(file) ?? []) {
      const cycle = visit(to);
      if (cycle) return cycle;
    }
    path.pop();
  }
  for (const file of targets.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
}

/** Everything wrong with the files of `src/` and the imports among them. */
export function findProblems(files: readonly string[], imports: readonly Import[]): string[] {
  const problems = files
    .filter((file) => file !== "mod.ts" && layerOf(file) === undefined)
    .map((file) => `${file}: not placed; add it to LAYERS in scripts/check_layers.ts`);
  for (const each of imports) {
    const problem = problemOf(each);
    if (problem) problems.push(`${each.from} imports ${each.to}: ${problem}`);
  }
  const cycle = findCycle(imports);
  if (cycle) problems.push(`import cycle: ${cycle.join(" -> ")}`);
  return problems;
}

const top = new URL("../", import.meta.url);

/** Every TypeScript file under a folder, as paths from the top of the repository. */
function listFiles(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, top))].flatMap((entry) =>
    entry.isDirectory
      ? listFiles(`${folder}${entry.name}/`)
      : entry.name.endsWith(".ts")
      ? [folder + entry.name]
      : []
  ).sort();
}

/** The part of `deno info --json` that is used here. */
interface Info {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { code?: { specifier: string }; type?: { specifier: string } }[];
  }[];
}

/** The imports of the given files. One `deno info` tells of all files it reaches from its root. */
function readImports(files: readonly string[]): Import[] {
  const fromTop = (specifier: string) => specifier.replace(top.href, "");
  const seen = new Set<string>();
  const imports: Import[] = [];
  for (const root of files) {
    if (seen.has(root)) continue;
    const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", root],
      cwd: top,
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const info: Info = JSON.parse(new TextDecoder().decode(stdout));
    for (const module of info.modules) {
      const from = fromTop(module.specifier);
      if (seen.has(from) || !files.includes(from)) continue;
      if (module.error) throw new Error(module.error);
      seen.add(from);
      for (const { code, type } of module.dependencies ?? []) {
        const target = code ?? type;
        if (target) imports.push({ from, to: fromTop(target.specifier), typeOnly: !code });
      }
    }
  }
  return imports;
}

if (import.meta.main) {
  const files = ["mod.ts", ...listFiles("src/")];
  const problems = findProblems(files, readImports(files));
  for (const file of files) {
    const text = Deno.readTextFileSync(new URL(file, top));
    const lines = text.split("\n").length - 1;
    if (!/^\/[*/]/.test(text)) problems.push(`${file}: opens without a comment on what lives here`);
    for (const [index, line] of text.split("\n").entries()) {
      if (line.length > MAX_COLUMNS && /^ *(\*|\/\*|\/\/)/.test(line)) {
        problems.push(
          `${file}:${index + 1}: a comment of ${line.length} columns, more than ${MAX_COLUMNS}`,
        );
      }
    }
    if (lines > MAX_LINES) problems.push(`${file}: ${lines} lines, more than ${MAX_LINES}`);
    else if (lines > MANY_LINES) console.log(`note: ${file} has ${lines} lines`);
  }
  for (const problem of problems) console.error(problem);
  console.log(`layers: ${files.length} files, ${problems.length} problems`);
  if (problems.length > 0) Deno.exit(1);
}
