/**
 * Files and programs, for the scripts that make and check the npm package.
 *
 * Independent of: what is in the package.
 */

/** The top of the repository, with a slash at the end. */
export const top: string = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Every file under a folder, as paths from there; without `node_modules`. */
export function listFiles(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(`${folder}/${prefix}`)].flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    const path = prefix + entry.name;
    return entry.isDirectory ? listFiles(folder, `${path}/`) : [path];
  }).sort();
}

/** Writes a file, and makes the folders above it. */
export function writeFile(path: string, text: string): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

/** Removes a folder, where there is one. */
export function removeFolder(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * `new URL("./worker.ts", import.meta.url)`: in the package the file is called `worker.js`. As long
 * as before, so that source maps stay true.
 */
export function workersInJavaScript(text: string): string {
  return text.replace(/(new URL\("\.[^"\n]*\.)ts(",\s*import\.meta\b *\.url\))/g, "$1js$2");
}

/** How a program ended. */
export interface Outcome {
  readonly success: boolean;
  /** What it printed, on both of its streams. */
  readonly text: string;
}

/** Runs a program to its end; ends it where that takes longer than `timeout` seconds. */
export async function tryRun(
  program: string,
  args: readonly string[],
  options: { cwd: string; timeout?: number; env?: Record<string, string> },
): Promise<Outcome> {
  const { cwd, timeout = 120, env } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeout * 1000);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return { success, text: late ? `${text}\nstill running after ${timeout} s` : text };
}

/** The same, but gives what was printed, and throws where it failed. */
export async function run(...call: Parameters<typeof tryRun>): Promise<string> {
  const { success, text } = await tryRun(...call);
  if (!success) throw new Error(`${call[0]} ${call[1].join(" ")} failed:\n${text.trimEnd()}`);
  return text;
}
