/**
 * The door to the runtime, Deno or Node: processes, memory, processor time, arguments. Nothing else in `scripts/bench/`
 * touches them. Both runtimes know the `node:` modules; what differs is only how a script is started.
 */

import process from "node:process";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** As in "deno 2.9.6 (v8 15.0)". */
export const runtimeName: string = process.versions.deno === undefined
  ? `node ${process.versions.node} (v8 ${process.versions.v8})`
  : `deno ${process.versions.deno} (v8 ${process.versions.v8})`;

export const commandLine: readonly string[] = process.argv.slice(2);

/** How a child of this benchmark is started: the program, and what comes before the child's own arguments. */
export interface Launcher {
  readonly program: string;
  readonly leading: readonly string[];
}

/** Starts `script` in the runtime that runs now. Both get a `gc()` and room for a million tasks. */
export function sameRuntime(script: URL): Launcher {
  if (process.versions.deno === undefined) return nodeRuntime(process.execPath, script);
  const flags = "--v8-flags=--expose-gc,--max-old-space-size=8192";
  return {
    program: process.execPath,
    leading: ["run", "-A", "--quiet", flags, fileURLToPath(script)],
  };
}

/** Starts `script`, which must be JavaScript by then, in Node. */
export function nodeRuntime(program: string, script: URL): Launcher {
  return { program, leading: ["--expose-gc", "--max-old-space-size=8192", fileURLToPath(script)] };
}

/** Longer than any row takes: a child that is still at it hangs. */
const patience = 180_000;

/** Runs a child to its end and gives what it printed; what it says on its error stream is passed on. */
export function runChild(launcher: Launcher, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(launcher.program, [...launcher.leading, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), patience);
    let output = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text: string) => output += text);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else reject(new Error(`The child ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/**
 * Bundles `scripts` to JavaScript that Node 20 runs, in a fresh directory, and gives their addresses, in order. Only
 * Deno can do it. npm packages are bundled too, so that Node needs no `node_modules`.
 */
export async function bundleForNode(
  scripts: readonly URL[],
): Promise<{ files: URL[]; remove(): void }> {
  if (process.versions.deno === undefined) {
    throw new Error("Only Deno can bundle the benchmark for Node");
  }
  const directory = mkdtempSync(join(tmpdir(), "broomio-bench-"));
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }\n`);
  const files: URL[] = [];
  for (const script of scripts) {
    const name = `entry${files.length}`;
    const options = [
      "--quiet",
      "--platform",
      "deno",
      "--code-splitting",
      "--outdir",
      join(directory, name),
    ];
    await runChild({ program: process.execPath, leading: ["bundle", ...options] }, [
      fileURLToPath(script),
    ]);
    const base = script.pathname.slice(script.pathname.lastIndexOf("/") + 1).replace(
      /\.ts$/,
      ".js",
    );
    files.push(pathToFileURL(join(directory, name, base)));
  }
  return { files, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** A path or specifier of the command line as something that `import()` understands. */
export function toSpecifier(text: string): string {
  if (/^[a-z]{2,}:/.test(text) || /^@?[a-z]/.test(text)) return text;
  return pathToFileURL(text).href;
}

/** Seconds. */
export function wallClock(): number {
  return performance.now() / 1000;
}

/** Seconds of processor time of this process, all threads: what the work cost, however long it waited. */
export function cpuClock(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What the machine was doing in the last minute, and what it can do. */
export function busyness(): { load: number; cores: number } {
  return { load: loadavg()[0], cores: availableParallelism() };
}

/** Collects all garbage. Twice: what the first pass finalizes, the second frees. */
export function collect(): void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("Start the benchmark's children with --expose-gc");
  gc();
  gc();
}

/** Bytes in use on the heap and in array buffers. */
export function bytesInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export function print(text: string): void {
  process.stdout.write(text + "\n");
}

/** A note to the person who waits, not part of the result. */
export function note(text: string): void {
  process.stderr.write(text);
}

/** Ends the process at once: a memory child leaves a hundred thousand sleepers behind. */
export function exit(code: number): never {
  process.exit(code);
}

/** The exit code for when the process has nothing left to do. */
export function setExitCode(code: number): void {
  process.exitCode = code;
}

export function exists(file: URL): boolean {
  return existsSync(file);
}

/**
 * The options of a bench that has rounds alone; `name` is its folder.
 *
 * @throws {TypeError} If there is anything else.
 */
export function readRounds(
  name: string,
  byDefault: number,
): { rounds: number; json: boolean; check: boolean } {
  const words = [...commandLine];
  const flag = (name: string) =>
    words.includes(name) && words.splice(words.indexOf(name), 1).length > 0;
  const json = flag("--json");
  const check = flag("--check");
  const at = words.indexOf("--rounds");
  const rounds = at < 0 ? byDefault : Number(words.splice(at, 2)[1]);
  if (words.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError(`See the top of scripts/bench/${name}/main.ts for the options`);
  }
  return { rounds, json, check };
}
