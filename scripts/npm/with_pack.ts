/**
 * Builds with `deno pack` and esbuild, where dnt cannot be downloaded.
 *
 * `deno pack` makes plain JavaScript and declarations from the module graph. It makes no CommonJS,
 * does not lower `using`, leaves `new URL("./worker.ts", import.meta.url)` as it is, and its source
 * maps name absolute paths: that is mended here. It leaves aliases of the import map alone too;
 * `finish.ts` refuses a package that has any. Independent of: what is done to the package
 * afterwards (`finish.ts`).
 */
import { transform } from "esbuild";
import { listFiles, removeFolder, run, top, workersInJavaScript, writeFile } from "./files.ts";
import { doors, FOLDER } from "./manifest.ts";

/** Builds `esm/`, `script/` and `src/`. */
export async function buildWithPack(): Promise<void> {
  const temp = Deno.makeTempDirSync({ prefix: "broomio-pack-" });
  try {
    const args = ["pack", "--quiet", "--allow-dirty", "--output", `${temp}/package.tgz`];
    const output = await run(Deno.execPath(), args, { cwd: top });
    await run("tar", ["-xzf", "package.tgz"], { cwd: temp });
    const packed = `${temp}/package`;
    const files = listFiles(packed);
    // With slow types `deno pack` writes no declarations, and reports no error.
    const untyped = doors.find(({ source }) => !files.includes(source.replace(/\.ts$/, ".d.ts")));
    if (untyped) throw new Error(`deno pack made no types for ${untyped.source}:\n${output}`);

    removeFolder(top + FOLDER);
    for (const file of files) {
      const text = Deno.readTextFileSync(`${packed}/${file}`);
      if (file.endsWith(".d.ts")) {
        for (const format of FORMATS) writeFile(`${top}${FOLDER}/${format}/${file}`, text);
      } else if (file.endsWith(".js")) {
        const source = file.replace(/\.js$/, ".ts");
        writeFile(`${top}${FOLDER}/src/${source}`, Deno.readTextFileSync(top + source));
        for (const format of FORMATS) await convert(text, file, format);
      }
    }
  } finally {
    removeFolder(temp);
  }
}

const FORMATS = ["esm", "script"] as const;

/** What CommonJS has in place of `import.meta.url`. */
const URL_OF_SCRIPT = 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;';

/** Writes a file of `deno pack` as an ES2022 module or script, with a source map beside it. */
async function convert(text: string, file: string, format: "esm" | "script"): Promise<void> {
  const source = file.replace(/\.js$/, ".ts");
  const up = "../".repeat(file.split("/").length);
  const script = format === "script";
  const { code, map } = await transform(
    relocateMap(workersInJavaScript(text), `${up}src/${source}`),
    {
      format: script ? "cjs" : "esm",
      platform: "node", // which names a script's exports, for those who import it
      target: "es2022",
      sourcefile: file,
      sourcemap: "external",
      sourcesContent: false,
      banner: script && text.includes("import.meta.url") ? URL_OF_SCRIPT : undefined,
      define: script ? { "import.meta.url": "importMetaUrl" } : {},
    },
  );
  const path = `${top}${FOLDER}/${format}/${file}`;
  writeFile(path, `${code}//# sourceMappingURL=${file.split("/").at(-1)}.map\n`);
  writeFile(`${path}.map`, map);
}

/** Has the source map at the end of a file name `source`, which esbuild then follows to it. */
function relocateMap(text: string, source: string): string {
  const marker = "//# sourceMappingURL=data:application/json;base64,";
  const start = text.lastIndexOf(marker);
  if (start < 0) throw new Error(`${source} came out of deno pack without a source map`);
  const bytes = Uint8Array.fromBase64(text.slice(start + marker.length).trim());
  const map = JSON.parse(new TextDecoder().decode(bytes));
  delete map.sourcesContent;
  const moved = new TextEncoder().encode(JSON.stringify({ ...map, sources: [source] })).toBase64();
  return text.slice(0, start) + marker + moved;
}
