/** The check of the documentation: what it refuses, and what it lets pass. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Declaration,
  type Documentation,
  exampleProblems,
  findProblems,
} from "../../scripts/doc_lint.ts";

const FILE = "file:///src/sleep.ts";
const SOURCE = "export function sleep(seconds: number) {}\nexport const RATE = 1;\n";

const GOOD = `\`\`\`ts
import { Loop, sleep } from "jsr:@broomio/core";

await new Loop().run(sleep(1));
\`\`\`
`;

/** What `deno doc --json` gives for one exported function. */
function documented(
  parts: { doc?: string; example?: string; returns?: string; also?: Declaration[] },
): Documentation {
  const { doc = "Waits. A checkpoint.", example, returns = "Operation", also = [] } = parts;
  const tags = example === undefined ? [] : [{ kind: "example", doc: example }];
  const declaration: Declaration = {
    location: { filename: FILE, line: 1 },
    declarationKind: "export",
    kind: "function",
    jsDoc: { doc, tags },
    def: { returnType: { repr: returns } },
  };
  const symbols = [{ name: "sleep", declarations: [declaration, ...also] }];
  return { nodes: { [FILE]: { symbols } } };
}

const problemsOf = (documentation: Documentation) => findProblems(documentation, () => SOURCE);

Deno.test("doc: a symbol with an example that imports what it uses passes", () => {
  assertEquals(problemsOf(documented({ example: GOOD })), []);
});

Deno.test("doc: a symbol without an example is refused, with its place", () => {
  assertEquals(problemsOf(documented({})), [`${FILE}:1: sleep: has no @example`]);
});

Deno.test("doc: an example at one of several declarations of a name is enough", () => {
  const also: Declaration[] = [{
    location: { filename: FILE, line: 9 },
    declarationKind: "export",
    kind: "typeAlias",
    jsDoc: { tags: [{ kind: "example", doc: GOOD }] },
  }];
  assertEquals(problemsOf(documented({ also })), []);
});

Deno.test("doc: what is not exported, or is another door's, needs no example", () => {
  const { nodes } = documented({ example: GOOD });
  const [{ declarations: [declaration] }] = nodes[FILE].symbols;
  const inner = { ...declaration, jsDoc: {}, declarationKind: "private" };
  const reference = { ...declaration, jsDoc: {}, kind: "reference" };
  const symbols = [
    { name: "inner", declarations: [inner] },
    { name: "other", declarations: [reference] },
  ];
  assertEquals(problemsOf({ nodes: { [FILE]: { symbols } } }), []);
});

Deno.test("doc: what gives an operation says whether it is a checkpoint", () => {
  const silent = documented({ doc: "Waits.", example: GOOD });
  assertStringIncludes(problemsOf(silent)[0], "sleep: does not say whether it is a checkpoint");
  assertEquals(problemsOf(documented({ doc: "Now.", returns: "number", example: GOOD })), []);
});

Deno.test("doc: a method that gives an operation says so, too; one overload is enough", () => {
  const location = { filename: FILE, line: 3 };
  const method = (doc: string) => ({
    name: "wait",
    location,
    jsDoc: { doc },
    functionDef: { returnType: { repr: "Selectable" } },
  });
  const classOf = (...docs: string[]): Documentation => {
    const [{ declarations: [declaration] }] = documented({ example: GOOD }).nodes[FILE].symbols;
    const def = { methods: docs.map(method) };
    const symbols = [{ name: "sleep", declarations: [{ ...declaration, kind: "class", def }] }];
    return { nodes: { [FILE]: { symbols } } };
  };
  assertStringIncludes(problemsOf(classOf("Waits."))[0], "sleep.wait: does not say");
  assertEquals(problemsOf(classOf("Waits.", "Waits, too. Not a checkpoint.")), []);
});

Deno.test("doc: examples of methods and of modules are looked at as well", () => {
  const bad = { tags: [{ kind: "example", doc: "sleep(1)" }] };
  const { nodes } = documented({ example: GOOD });
  const problems = problemsOf({ nodes: { [FILE]: { ...nodes[FILE], module_doc: bad } } });
  assertEquals(problems, [`${FILE}:1: the module: the example has no code: \`\`\`ts`]);
});

const refused: [string, string, string][] = [
  ["text without code", "Call it.", "has no code"],
  ["another language", GOOD.replace("ts", "js"), 'not "ts"'],
  ["one that is not run, without a reason", GOOD.replace("ts", "ts ignore"), "says why"],
  ["one that does not run", GOOD.replace("await", "if (import.meta.main) await"), "does not run"],
  ["one that imports nothing", GOOD.replace(/import.*\n/, ""), "imports nothing"],
  ["a package nobody can install", GOOD.replace("import", 'import "./x.ts";\nimport'), '"./x.ts"'],
  ["another symbol's", GOOD.replaceAll("sleep", "nap"), "does not use sleep"],
  [
    "a mention in a comment, a string or a property",
    GOOD.replace("sleep(1)", '"sleep", a.sleep, { sleep: 1 } // sleep'),
    "does not use sleep",
  ],
  [
    "what deno test imports by itself",
    GOOD.replace("sleep(1)", "sleep(RATE)"),
    "does not import RATE",
  ],
  [
    "what is used in a template and not imported",
    GOOD.replace("sleep(1)", "sleep(+`${RATE}`)"),
    "does not import RATE",
  ],
];
for (const [name, example, problem] of refused) {
  Deno.test(`doc: refused as an example: ${name}`, () => {
    assertStringIncludes(exampleProblems(example, SOURCE, "sleep").join("; "), problem);
  });
}

const allowed: [string, string][] = [
  ["one that says why it is not run", GOOD.replace("ts\n", "ts ignore\n// Not run: a page.\n")],
  ["a type import", GOOD.replace("sleep }", "type sleep }")],
  ["an import on several lines", GOOD.replace("Loop, sleep", "\n  Loop,\n  sleep,\n")],
  ["the assertions", GOOD.replace("await", 'import { assert } from "jsr:@std/assert";\nawait')],
  [
    "a name of its own",
    GOOD.replace("sleep(1)", "sleep(RATE)").replace("await", "let RATE;\nawait"),
  ],
  ["a parameter of that name", GOOD.replace("sleep(1)", "((RATE) => sleep(RATE))(1)")],
];
for (const [name, example] of allowed) {
  Deno.test(`doc: allowed as an example: ${name}`, () => {
    assertEquals(exampleProblems(example, SOURCE, "sleep"), []);
  });
}
