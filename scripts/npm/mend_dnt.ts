/**
 * Mends what dnt 0.43.2 writes, file by file.
 *
 * - In CommonJS, TypeScript turns `import(url)` into `require(url)`, which takes no URL: the import
 *   comes back.
 * - `import.meta` goes through a polyfill that needs Node and its types, and that bundlers drop,
 *   because the package has no side effects: what each format has of its own takes its place.
 * - The polyfill and the imports of it go.
 *
 * Invariant: nothing moves. What is shorter is filled with spaces, so that source maps stay true.
 * Independent of: where the files are, and of dnt itself; `finish.ts` refuses what is left
 * unmended.
 */

/** The file that dnt adds to each format, in JavaScript, in types, and with their maps. */
export const POLYFILL_FILE = /(^|\/)_dnt\.polyfills\./;

const ponyfill = (format: "esmodule" | "commonjs"): string =>
  `globalThis[Symbol.for("import-meta-ponyfill-${format}")]`;

/** What replaces what; to the letter. */
const REPLACEMENTS: readonly (readonly [from: string, to: string])[] = [
  [`${ponyfill("esmodule")}(import.meta)`, "import.meta"],
  [
    `${ponyfill("commonjs")}(require, module).url`,
    'require("node:url").pathToFileURL(__filename).href',
  ],
];

/** `import "./_dnt.polyfills.js";` and the same with `require`, alone on their lines. */
const POLYFILL_IMPORT = /^(?:import |require\()".*\/_dnt\.polyfills\.js"\)?;$/gm;

/** How TypeScript writes `import(name)` in CommonJS. */
const REQUIRE_OF_VARIABLE =
  /Promise\.resolve\(`\$\{(\w+)\}`\)\.then\(s => __importStar\(require\(s\)\)\)/g;

/** The text of a file of JavaScript or of types as it is to be. */
export function mendText(text: string): string {
  let mended = text;
  for (const [from, to] of REPLACEMENTS) mended = mended.replaceAll(from, pad(to, from));
  return mended
    .replace(POLYFILL_IMPORT, (line) => pad("", line))
    .replace(REQUIRE_OF_VARIABLE, (all, name: string) => pad(`import(${name})`, all));
}

/** `text`, with spaces behind it, as long as `other`. */
function pad(text: string, other: string): string {
  if (text.length > other.length) throw new Error(`${text} is longer than ${other}`);
  return text.padEnd(other.length);
}
