/**
 * Bundles for a browser and, where Chromium is installed, runs the README's program in it.
 *
 * Invariant: a bundle imports nothing of Node. Sizes are of the minified and gzipped bundle, as it
 * would be served.
 */
import { build } from "esbuild";
import { readmeProgram } from "./check_programs.ts";
import { removeFolder } from "./files.ts";
import { doors, importName, NAME } from "./manifest.ts";
import type { Sandbox } from "./sandbox.ts";

/** The largest size of the README's program with all that it needs of the core, in bytes. */
const LIMIT = 18_000;

/** The largest size of the whole core, in bytes. Few need all of it, but it must stay small. */
const WHOLE_LIMIT = 36_000;

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

/** Runs the README's program in headless Chromium. */
export async function checkBrowser({ folder }: Sandbox): Promise<string[]> {
  const { name, output, source } = readmeProgram();
  const script = await bundle(source(""), folder);
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
  const profile = Deno.makeTempDirSync({ prefix: "broomio-chromium-" });
  const timer = setTimeout(resolve, 30_000);
  try {
    const child = new Deno.Command("chromium", {
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
        ...["--disable-background-networking", "--disable-component-update"],
        ...[`--user-data-dir=${profile}`, `http://127.0.0.1:${server.addr.port}/`],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await promise;
    child.kill("SIGKILL");
    await child.status;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return ["left out: Chromium is not installed (Debian's package is called chromium)"];
  } finally {
    clearTimeout(timer);
    await server.shutdown();
    await removeProfile(profile);
  }
  if (printed.join("\n") !== output!.join("\n")) {
    throw new Error(`${name} printed in Chromium\n${printed.join("\n")}`);
  }
  return [`Chromium runs ${name}`];
}

/**
 * Chromium's other processes may write for a moment after the first has ended: "Directory not
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
