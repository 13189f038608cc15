/**
 * Bundles for a browser and, where Chromium and Firefox are installed, runs the README's first
 * program in them.
 *
 * Invariant: a bundle imports nothing of Node. Sizes are of the minified and gzipped bundle, as it
 * would be served.
 */
import { build } from "esbuild";
import { readmeProgram } from "./check_programs.ts";
import { removeFolder, run } from "./files.ts";
import { doors, importName, NAME } from "./manifest.ts";
import type { Sandbox } from "./sandbox.ts";

/** The largest size of the README's program with all that it needs of the core, in bytes. */
const LIMIT = 20_000;

/** The largest size of the whole core, in bytes. Few need all of it, but it must stay small. */
const WHOLE_LIMIT = 40_000;

async function bundle(contents: string, resolveDir: string): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  });
  const text = result.outputFiles[0]!.text;
  const foreign = text.match(/(?:from|import|require\()\s*["']node:\w+["']/);
  if (foreign) throw new Error(`a bundle for a browser has: ${foreign[0]}`);
  return text;
}

async function gzipped(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

/**
 * Bundles; gives the sizes, and throws where a bundle cannot be made or is too large.
 */
export async function checkBundles({ folder }: Sandbox): Promise<string[]> {
  const lines: string[] = [];
  const weigh = async (what: string, source: string, limit: number) => {
    const size = await gzipped(await bundle(source, folder));
    const line = `${what}: ${(size / 1000).toFixed(1)} kB gzipped, at most ${limit / 1000}`;
    if (size > limit) throw new Error(line);
    lines.push(line);
  };
  await weigh("the README's program with its core", readmeProgram().source(""), LIMIT);
  await weigh("the whole core", `export * from "${NAME}";`, WHOLE_LIMIT);
  // Their adapters load modules of Node only when they are used.
  for (const door of doors) await bundle(`export * from "${importName(door)}";`, folder);
  return [...lines, `bundles without node: imports: ${doors.map((door) => door.name).join(" ")}`];
}

/** A browser, and how to start it without a window, with a profile of its own. */
interface Browser {
  readonly name: string;
  readonly program: string;
  args(profile: string, url: string): string[];
}

const BROWSERS: readonly Browser[] = [
  {
    name: "Chromium",
    program: "chromium",
    args: (profile, url) => [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
      ...["--disable-background-networking", "--disable-component-update"],
      ...[`--user-data-dir=${profile}`, url],
    ],
  },
  {
    name: "Firefox",
    program: "firefox-esr",
    args: (profile, url) => ["--headless", "--no-remote", "--profile", profile, url],
  },
];

/** Runs the README's first program in each browser that is installed. */
export async function checkBrowser({ folder }: Sandbox): Promise<string[]> {
  const { source } = readmeProgram();
  const script = await bundle(source(""), folder);
  const lines: string[] = [];
  for (const browser of BROWSERS) lines.push(await tryBrowser(browser, script));
  return lines;
}

/** The version of a browser; `undefined` where it is not installed. */
async function versionOf({ program }: Browser): Promise<string | undefined> {
  try {
    const text = await run(program, ["--version"], { cwd: "/" });
    return text.match(/\d+\.[\d.]+/)?.[0];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Runs the script in a browser; throws where it prints something else than it should. */
async function tryBrowser(browser: Browser, script: string): Promise<string> {
  const version = await versionOf(browser);
  if (version === undefined) {
    return `left out: ${browser.name} is not installed (Debian's package is ${browser.program})`;
  }
  const { name, output } = readmeProgram();
  const printed: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    switch (new URL(request.url).pathname) {
      case "/":
        return new Response(page, { headers: { "content-type": "text/html" } });
      case "/program.js":
        return new Response(script, { headers: { "content-type": "text/javascript" } });
      case "/line":
        printed.push(await request.text());
        if (printed.length === output!.length) resolve();
    }
    return new Response("");
  });
  const profile = Deno.makeTempDirSync({ prefix: "broomio-browser-" });
  const timer = setTimeout(resolve, 60_000);
  const child = new Deno.Command(browser.program, {
    args: browser.args(profile, `http://127.0.0.1:${server.addr.port}/`),
    env: { HOME: profile },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    await child.status;
    await server.shutdown();
    await removeProfile(profile);
  }
  if (printed.join("\n") !== output!.join("\n")) {
    throw new Error(`${name} printed in ${browser.name}\n${printed.join("\n")}`);
  }
  return `${browser.name} ${version} runs ${name}`;
}

/**
 * A browser's other processes may write for a moment after the first has ended: "Directory not
 * empty".
 */
async function removeProfile(profile: string): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return removeFolder(profile);
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Sends each line of the console to us, one after the other; errors too. */
const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>
  let last = Promise.resolve();
  const send = (line) => last = last.then(() => fetch("/line", { method: "POST", body: String(line) }));
  console.log = send;
  addEventListener("error", (event) => send(event.message));
  addEventListener("unhandledrejection", (event) => send(event.reason));
</script><script type="module" src="/program.js"></script>`;
