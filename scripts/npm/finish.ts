/**
 * Completes the package after either build, and checks it before it may be published.
 *
 * Invariant, when it passes: package.json is complete, every door has code and types in both
 * formats, examples say what an npm user writes, and nothing in it points to where it was built or
 * to what an npm user does not have.
 */
import { listFiles, run, top, writeFile } from "./files.ts";
import { doors, FOLDER, manifest, NAME } from "./manifest.ts";

/**
 * Written above declarations that need it: a consumer's `lib` may be ES2022, which has no
 * `Disposable`.
 */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />\n';

/** Completes the package. Gives what is wrong with it. */
export async function finish(): Promise<string[]> {
  const folder = top + FOLDER;
  for (const name of ["README.md", "CHANGELOG.md", "LICENSE"]) {
    writeFile(`${folder}/${name}`, Deno.readTextFileSync(top + name));
  }
  writeFile(`${folder}/package.json`, json(manifest()));
  for (const [format, type] of [["esm", "module"], ["script", "commonjs"]] as const) {
    // A bundler looks no further than the nearest package.json for these, and keeps all of a
    // package that does not say.
    const browser = Object.fromEntries(
      nodeOnly(`${folder}/${format}`).map((file) => [file, false]),
    );
    writeFile(
      `${folder}/${format}/package.json`,
      json({ type, sideEffects: false, browser }),
    );
  }
  for (const file of listFiles(folder)) {
    if (!/\.(d\.ts|js|ts|md)$/.test(file)) continue;
    const text = Deno.readTextFileSync(`${folder}/${file}`);
    const finished = finishText(file, text);
    if (finished !== text) writeFile(`${folder}/${file}`, finished);
  }
  // What npm would take: dnt leaves files of its own in the folder, and lists them in an
  // .npmignore.
  const listed = await run("npm", ["pack", "--dry-run", "--json"], { cwd: folder });
  const paths = [...listed.matchAll(/"path": "(.*?)"/g)].map(([, path]) => path!);
  const files = new Map(paths.map((path) => [path, Deno.readTextFileSync(`${folder}/${path}`)]));
  return findProblems(files);
}

/** Files that only Node, Deno and Bun can load: workers start from them. */
function nodeOnly(folder: string): string[] {
  return listFiles(folder)
    .filter((file) => file.endsWith(".js"))
    .filter((file) =>
      /^import .*"node:|= (\w+\()?require\("node:(?!url"\)\.path)/m.test(
        Deno.readTextFileSync(`${folder}/${file}`),
      )
    )
    .map((file) => `./${file}`);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** A file of the package in the form that an npm user gets. */
export function finishText(file: string, text: string): string {
  const named = text.replaceAll(`jsr:${NAME}`, NAME);
  const bare = !file.endsWith(".d.ts") || named.startsWith(DISPOSABLE);
  return !bare && /\b(Async)?Disposable\b|Symbol\.(asyncD|d)ispose/.test(named)
    ? DISPOSABLE + named
    : named;
}

/** What a text names as the files it needs. */
const SPECIFIER = /(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*"([^"\n]+)"/g;

/** What is wrong with the package: its files, as paths from its top, and what they hold. */
export function findProblems(files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const door of doors) {
    for (const format of ["esm", "script"]) {
      for (const extension of [".js", ".js.map", ".d.ts"]) {
        const file = `${format}/${door.source.replace(/\.ts$/, extension)}`;
        if (!files.has(file)) problems.push(`${door.name} has no ${file}`);
      }
    }
  }
  for (const [file, text] of files) {
    for (const problem of problemsOf(file, text, files)) problems.push(`${file}: ${problem}`);
  }
  return problems;
}

/** What dnt and TypeScript write and must not leave: see `mend_dnt.ts`. */
const REMNANTS = ["import-meta-ponyfill", "_dnt.", "__importStar(require(s))"];

function problemsOf(file: string, text: string, files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  if (text.includes("file:///") || text.includes(top)) {
    problems.push("names a place on this machine");
  }
  const types = file.endsWith(".d.ts");
  const code = /^(esm|script)\/.*\.js$/.test(file);
  if (!types && !code) return problems;
  const bare = withoutComments(text);
  if (types && /\bDeno\./.test(bare)) problems.push("has a type of the Deno namespace");
  if (/\b(await )?using [a-z]\w* =/.test(bare)) problems.push("has a `using`, new to Node 24");
  if (/\.ts"[,)]/.test(bare)) problems.push("starts a file of TypeScript");
  for (const remnant of REMNANTS) {
    if (bare.includes(remnant)) {
      problems.push(`has ${remnant}, which mend_dnt.ts should have mended`);
    }
  }
  const folder = file.slice(0, file.lastIndexOf("/"));
  for (const [, specifier] of bare.matchAll(SPECIFIER)) {
    if (specifier!.startsWith("node:") && !types) continue;
    const target = new URL(specifier!, `file:///${folder}/`).pathname.slice(1);
    const wanted = types ? target.replace(/\.js$/, ".d.ts") : target;
    if (!specifier!.startsWith(".")) problems.push(`imports ${specifier}`);
    else if (!files.has(wanted)) problems.push(`imports ${specifier}, which is not in the package`);
  }
  return problems;
}

/**
 * A text of TypeScript or JavaScript without its comments; a string with `//` in it loses
 * its end, which does no harm here.
 */
const withoutComments = (text: string) =>
  text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
