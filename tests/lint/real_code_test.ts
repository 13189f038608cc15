/**
 * Generators that are not ours: the sources of Effection, Redux-Saga and koa's time of generators,
 * from npm, give no alarm, also in files that use this package besides. And no source makes a rule
 * fail.
 */
import { assert, assertEquals } from "@std/assert";
import plugin from "../../src/lint/mod.ts";
import { makePlugin } from "../../src/lint/plugin.ts";

/** The folder of a package: what is above the module that a program would import. */
function folderOf(name: string): string {
  const file = new URL(import.meta.resolve(name)).pathname;
  return file.slice(0, file.indexOf(`/${name}/`) + name.length + 2) +
    /^[^/]+/.exec(file.slice(file.indexOf(`/${name}/`) + name.length + 2))![0];
}

function* sources(folder: string): Iterable<{ name: string; text: string }> {
  for (const entry of Deno.readDirSync(folder)) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(name);
    else if (/(?<!\.d)\.(?:[mc]?js|ts)$/.test(entry.name)) {
      yield { name, text: Deno.readTextFileSync(name).replace(/^#!.*/, "") };
    }
  }
}

const GENERATOR = /function\s?\*|^\s*\*\w+\(/m;

/** What stands at the head of a file that uses this package besides. */
const HEADS = [
  "",
  `import "jsr:@broomio/core";`,
  `import { all as _all, Loop as _Loop, Nursery as _Nursery, sleep as _sleep } from "jsr:@broomio/core";`,
];

/** Packages, and how many of their sources have generators, at the least. */
const PACKAGES: Record<string, number> = {
  effection: 25,
  "@redux-saga/core": 1,
  "koa-router": 1,
  "koa-session": 1,
  "co-fs": 1,
  "co-read": 2,
};

for (const [name, least] of Object.entries(PACKAGES)) {
  Deno.test(`R61: the sources of ${name} give no alarm, also beside this package`, () => {
    let generators = 0;
    for (const { name: file, text } of sources(folderOf(name))) {
      if (!GENERATOR.test(text)) continue;
      generators++;
      for (const head of HEADS) {
        const found = Deno.lint.runPlugin(
          plugin,
          `${file.replace(/\.\w+$/, "")}.ts`,
          head + text,
        );
        assertEquals(found.map((each) => each.message), [], file);
      }
    }
    assert(generators >= least, `${generators} sources with generators`);
  });
}

Deno.test("R61: no rule fails on any source, however little of it is ours", () => {
  // Every import is taken for this package, so that every rule looks at everything.
  const all = makePlugin("all", () => true);
  let files = 0;
  for (
    const name of ["effection", "koa-router", "@redux-saga/core", "fast-check", "http-parser-js"]
  ) {
    for (const { name: file, text } of sources(folderOf(name))) {
      if (text.length > 100_000) continue;
      Deno.lint.runPlugin(all, `${file.replace(/\.\w+$/, "")}.ts`, `import "x";${text}`);
      files++;
    }
  }
  assert(files > 100, `${files} files`);
});
