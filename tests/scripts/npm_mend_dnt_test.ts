/** What is mended in the output of dnt, on samples of that output. */
import { assert, assertEquals } from "@std/assert";
import { mendText, POLYFILL_FILE } from "../../scripts/npm/mend_dnt.ts";

for (
  const [what, before, after] of [
    [
      "a module gets its import.meta back",
      'const url = globalThis[Symbol.for("import-meta-ponyfill-esmodule")](import.meta).url;\n',
      /^const url = import\.meta +\.url;\n$/,
    ],
    [
      "a script asks Node for its URL",
      'const url = globalThis[Symbol.for("import-meta-ponyfill-commonjs")](require, module).url;\n',
      /^const url = require\("node:url"\)\.pathToFileURL\(__filename\).href +;\n$/,
    ],
    [
      "import(url) in a script is an import, which takes a URL",
      "    return Promise.resolve(`${name}`).then(s => __importStar(require(s)));\n",
      /^ {4}return import\(name\) +;\n$/,
    ],
    [
      "a module does not import the polyfill",
      'import "../../_dnt.polyfills.js";\nexport {};\n',
      /^ +\nexport \{\};\n$/,
    ],
    [
      "a script does not require the polyfill",
      '"use strict";\nrequire("./_dnt.polyfills.js");\n',
      /^"use strict";\n +\n$/,
    ],
  ] as const
) {
  Deno.test(`npm: from dnt, ${what}, and no column moves`, () => {
    const mended = mendText(before);
    assert(after.test(mended), mended);
    assertEquals(mended.length, before.length);
  });
}

Deno.test("npm: from dnt, all else stays as it is", () => {
  const text = 'const a = require("./a.js");\nPromise.resolve(`${b}`).then((c) => c);\n';
  assertEquals(mendText(text), text);
});

Deno.test("npm: the files of dnt's polyfill are known by their names", () => {
  for (const name of ["esm/_dnt.polyfills.js", "script/_dnt.polyfills.d.ts", "_dnt.polyfills.js"]) {
    assert(POLYFILL_FILE.test(name), name);
  }
  assert(!POLYFILL_FILE.test("esm/src/pool/dnt.polyfills.js"));
});
