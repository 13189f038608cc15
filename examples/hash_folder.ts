// deno run --allow-read --allow-env examples/hash_folder.ts
// Hashes the files of a folder on all cores. This file is also the module that the workers load.
import { Loop } from "jsr:@broomio/core";
import { ThreadPool } from "jsr:@broomio/core/pool";
import cliProgress from "npm:cli-progress@3.12.0";

/** Runs in a worker. */
export async function hash(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

function* filesIn(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesIn(path);
    else if (entry.isFile) yield path;
  }
}

function* main(folder: string) {
  const pool = yield* ThreadPool.open<typeof import("./hash_folder.ts")>({
    module: import.meta.url,
  });
  const paths = [...filesIn(folder)].sort();
  const bar = new cliProgress.SingleBar({}, cliProgress.Presets.shades_classic);
  bar.start(paths.length, 0);
  const hashes = yield* pool.map(paths, "hash", { each: () => bar.increment() });
  bar.stop();
  for (const [index, path] of paths.entries()) {
    console.log(hashes[index], path);
  }
}

if (import.meta.main) await new Loop().run(main(Deno.args[0] ?? "examples"));
