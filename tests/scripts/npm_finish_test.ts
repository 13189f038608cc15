/** What the npm package must not leave with. */
import { assert, assertEquals } from "@std/assert";
import { findProblems, finishText } from "../../scripts/npm/finish.ts";
import { doors, manifest } from "../../scripts/npm/manifest.ts";

/** The files of a package in which nothing is wrong, with `more` beside them. */
function packageWith(more: Record<string, string>): Map<string, string> {
  const files = new Map<string, string>();
  for (const { source } of doors) {
    for (const format of ["esm", "script"]) {
      for (const extension of [".js", ".js.map", ".d.ts"]) {
        files.set(`${format}/${source.replace(/\.ts$/, extension)}`, "");
      }
    }
  }
  for (const [file, text] of Object.entries(more)) files.set(file, text);
  return files;
}

Deno.test("npm: a package in which nothing is wrong passes; one without a door's types does not", () => {
  const files = packageWith({ "esm/a.js": 'import "./mod.js"; import "node:v8";\n' });
  assertEquals(findProblems(files), []);
  files.delete("script/mod.d.ts");
  assertEquals(findProblems(files), [". has no script/mod.d.ts"]);
});

for (
  const [what, file, text, problem] of [
    ["an alias of the import map", "esm/a.js", 'import { x } from "@std/x";', "imports @std/x"],
    ["a missing file", "esm/a.js", 'export * from "./b.js";', "imports ./b.js, which is not"],
    ["a missing script", "script/a.js", 'const b = require("./b.js");', "imports ./b.js, which is"],
    [
      "a type of Deno's",
      "esm/a.d.ts",
      "export declare const conn: Deno.Conn;",
      "has a type of the",
    ],
    ["a `using`", "esm/a.js", "{ using lock = open(); }", "has a `using`"],
    ["a worker in TypeScript", "esm/a.js", 'new URL("./worker.ts", here)', "starts a file of Type"],
    [
      "what is left of dnt's import.meta",
      "script/a.js",
      'globalThis[Symbol.for("import-meta-ponyfill-commonjs")](require, module).url',
      "has import-meta-ponyfill",
    ],
    [
      "an import() that became a require()",
      "script/a.js",
      "Promise.resolve(`${url}`).then(s => __importStar(require(s)))",
      "has __importStar(require(s))",
    ],
    [
      "an absolute path",
      "esm/a.js.map",
      '{"sources":["file:///src/a.ts"]}',
      "names a place on this",
    ],
  ] as const
) {
  Deno.test(`npm: ${what} is found`, () => {
    const problems = findProblems(packageWith({ [file]: text }));
    assertEquals(problems.length, 1, problems.join("\n"));
    assert(problems[0]!.startsWith(`${file}: ${problem}`), problems[0]);
  });
}

Deno.test("npm: comments may say what code may not", () => {
  const text = '/** Like `Deno.Conn`; see "./b.ts". */\nexport {};\n// import "@std/x"\n';
  assertEquals(findProblems(packageWith({ "esm/a.d.ts": text })), []);
});

Deno.test("npm: examples import what an npm user installs, and Disposable is known to ES2022", () => {
  assertEquals(
    finishText("esm/a.js", 'import "jsr:@broomio/core/net";'),
    'import "@broomio/core/net";',
  );
  const types = "export interface Lock extends Disposable {}\n";
  const finished = '/// <reference lib="esnext.disposable" />\n' + types;
  assertEquals(finishText("esm/a.d.ts", types), finished);
  assertEquals(finishText("esm/a.d.ts", finished), finished);
  assertEquals(finishText("esm/a.js", types), types);
});

Deno.test("npm: every door stands in package.json, its types first", () => {
  const { exports } = manifest() as { exports: Record<string, Record<string, object>> };
  assertEquals(Object.keys(exports), [...doors.map((door) => door.name), "./package.json"]);
  for (const { name } of doors) {
    for (const condition of ["import", "require"]) {
      assertEquals(Object.keys(exports[name]![condition]!), ["types", "default"]);
    }
  }
});
