/**
 * The check of the documentation: `deno doc --lint` on every door of the package, and that each
 * exported symbol has an example which a reader can copy.
 *
 * Invariant, when it passes: every exported symbol has an `@example` of its own, that uses it; every
 * example imports what it uses, is run by `deno task test:doc`, and runs to its end there; every
 * function and method that gives an operation says whether it is a checkpoint. The doors are those
 * that `deno.json` exports, so none can be forgotten.
 *
 * That examples compile and do what they say is found by `deno task check` and `deno task test:doc`.
 * But `deno test --doc` imports by itself what the file around an example exports, so an example
 * could run there and not at a reader's: names that are used and not imported are found here.
 */
import config from "../deno.json" with { type: "json" };

/** JSDoc, as `deno doc --json` gives it. */
export interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string; readonly doc?: string }[];
}

/** One declaration of a symbol: a function, one of its overloads, a class, a type... */
export interface Declaration {
  readonly location: Location;
  readonly declarationKind: string;
  readonly kind: string;
  readonly jsDoc?: JsDoc;
  readonly def?: Signature & { readonly methods?: readonly Member[] };
}

interface Location {
  /** A URL. */
  readonly filename: string;
  /** Counted from 1. */
  readonly line: number;
}

interface Signature {
  readonly returnType?: { readonly repr?: string };
}

interface Member extends Signature {
  readonly name: string;
  readonly location: Location;
  readonly jsDoc?: JsDoc;
  /** Where it is a member of a class. */
  readonly functionDef?: Signature;
}

/** What `deno doc --json` gives for several doors. */
export interface Documentation {
  readonly nodes: Readonly<
    Record<string, {
      readonly module_doc?: JsDoc;
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly Declaration[];
      }[];
    }>
  >;
}

const OPERATIONS = ["Operation", "Coroutine", "Selectable"];
/** What an example may import besides this package and what `deno.json` has for npm. */
const IMPORTABLE = /^(node:|jsr:@std\/assert$|jsr:@broomio\/core(\/\w+)?$)/;
const PACKAGES = Object.entries(config.imports)
  .filter(([, target]) => target.startsWith("npm:"))
  .map(([name]) => name);

/** What is wrong, one line each: `src/file.ts:12: Name: what`. */
export function findProblems(
  documentation: Documentation,
  sourceOf: (url: string) => string,
): string[] {
  const problems: string[] = [];
  for (const [door, { module_doc, symbols }] of Object.entries(documentation.nodes)) {
    const report = (location: Location, name: string, what: string) =>
      problems.push(`${pathOf(location.filename)}:${location.line}: ${name}: ${what}`);
    const start = { filename: door, line: 1 };
    for (const each of examplesOf(module_doc)) {
      for (const what of exampleProblems(each, "")) report(start, "the module", what);
    }
    for (const { name, declarations } of symbols) {
      // A reference is what another door declares, and is seen there.
      const exported = declarations.filter(({ declarationKind, kind }) =>
        declarationKind === "export" && kind !== "reference"
      );
      if (exported.length === 0) continue;
      const { location } = exported[0];
      if (exported.every((each) => examplesOf(each.jsDoc).length === 0)) {
        report(location, name, "has no @example");
      }
      for (const each of exported) {
        const source = sourceOf(each.location.filename);
        for (const example of examplesOf(each.jsDoc)) {
          for (const what of exampleProblems(example, source, name)) {
            report(each.location, name, what);
          }
        }
        for (const member of each.def?.methods ?? []) {
          const path = `${name}.${member.name}`;
          for (const example of examplesOf(member.jsDoc)) {
            for (const what of exampleProblems(example, source)) {
              report(member.location, path, what);
            }
          }
        }
      }
      for (const { path, location } of silentAboutCheckpoints(name, exported)) {
        report(location, path, "does not say whether it is a checkpoint");
      }
    }
  }
  return [...new Set(problems)].sort(); // a symbol can be behind several doors
}

function examplesOf(jsDoc: JsDoc | undefined): string[] {
  return (jsDoc?.tags ?? []).filter((tag) => tag.kind === "example").map((tag) => tag.doc ?? "");
}

/**
 * What is wrong with an example.
 *
 * @param source The file that it stands in.
 * @param name The symbol that it is about.
 */
export function exampleProblems(example: string, source: string, name?: string): string[] {
  const blocks = [...example.matchAll(/^```(.*)\n([\s\S]*?)^```/gm)];
  if (blocks.length === 0) return ["the example has no code: ```ts"];
  return blocks.flatMap(([, language, code]) => {
    const problems: string[] = [];
    if (language === "ts ignore") {
      if (!/^\/\/ Not run: ./m.test(code)) {
        problems.push('an example that is not run says why: "// Not run: ..."');
      }
    } else if (language !== "ts") problems.push(`the example is not "ts", but "${language}"`);
    if (code.includes("import.meta.main")) {
      problems.push("the example does not run: import.meta.main is false in `deno test --doc`");
    }
    const imports = [...code.matchAll(/^import (?:[^"]* from )?"(.*)";$/gm)];
    const modules = imports.map(([, module]) => module);
    if (!modules.some((module) => module.startsWith("jsr:@broomio/core"))) {
      problems.push("the example imports nothing from this package");
    }
    for (const module of modules) {
      if (!IMPORTABLE.test(module) && !PACKAGES.includes(module)) {
        problems.push(`the example imports "${module}", which a reader cannot install`);
      }
    }
    const text = codeOnly(code);
    const body = text.replace(/^import [\s\S]*?;$/gm, "");
    if (name !== undefined && name !== "default" && !uses(body, name)) {
      problems.push(`the example does not use ${name}`);
    }
    const imported = imports.map(([statement]) => statement).join("\n");
    for (const other of exportsOf(source)) {
      if (uses(body, other) && !declares(body, other) && !uses(imported, other)) {
        problems.push(`the example does not import ${other}`);
      }
    }
    return problems;
  });
}

/** Code without comments and without the text of strings; what stands in `${}` stays. */
function codeOnly(code: string): string {
  return code.replace(
    /\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g,
    (text) => text[0] === "`" ? (text.match(/\$\{[^}]*\}/g) ?? []).join(" ") : "",
  );
}

/** Whether a name is used: not as a property, and not as the key of one. */
function uses(code: string, name: string): boolean {
  return new RegExp(`(?<![\\w$#]|(?<!\\.\\.)\\.)${name}(?![\\w$])(?!\\??:)`).test(code);
}

/** Whether the code has something of that name itself: a function, a variable, a parameter. */
function declares(code: string, name: string): boolean {
  const variable = `\\b(?:const|let) (?:[{[][^=;]*)?\\b${name}\\b`;
  const parameters = `\\([^()]*\\b${name}\\b[^()]*\\)`;
  return [
    `\\b(?:function\\*?|class|interface|type) ${name}\\b`,
    variable,
    `${parameters}(?:: [^=;{]*)? =>`,
    `function\\*? ?\\w*${parameters}`,
  ].some((pattern) => new RegExp(pattern).test(code));
}

/** The names that a file exports, of which `deno test --doc` imports those that are not. */
function exportsOf(source: string): string[] {
  const declaration =
    /^export (?:abstract |async )?(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;
  return [...source.matchAll(declaration)].map(([, name]) => name);
}

/** The functions and methods that give an operation and do not say whether it is a checkpoint. */
function silentAboutCheckpoints(
  name: string,
  declarations: readonly Declaration[],
): { path: string; location: Location }[] {
  const told = new Map<string, { location: Location; isTold: boolean }>();
  const look = (path: string, location: Location, jsDoc?: JsDoc, signature?: Signature) => {
    if (!OPERATIONS.includes(signature?.returnType?.repr ?? "")) return;
    const before = told.get(path); // an overload: one of them says it
    const isTold = /checkpoint/i.test(jsDoc?.doc ?? "") || before?.isTold === true;
    told.set(path, { location: before?.location ?? location, isTold });
  };
  for (const { kind, location, jsDoc, def } of declarations) {
    if (kind === "function") look(name, location, jsDoc, def);
    for (const method of def?.methods ?? []) {
      const { location, jsDoc } = method;
      look(`${name}.${method.name}`, location, jsDoc, method.functionDef ?? method);
    }
  }
  return [...told].filter(([, { isTold }]) => !isTold)
    .map(([path, { location }]) => ({ path, location }));
}

function pathOf(url: string): string {
  const top = new URL("../", import.meta.url).href;
  return url.startsWith(top) ? url.slice(top.length) : url;
}

if (import.meta.main) {
  const doors = Object.values(config.exports);
  const cwd = new URL("../", import.meta.url);
  const lint = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "--quiet", ...doors],
    cwd,
    stdout: "null", // the documentation itself
    stderr: "inherit",
  }).outputSync();
  const json = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "--quiet", ...doors],
    cwd,
    stderr: "inherit",
  }).outputSync();
  const documentation: Documentation = JSON.parse(new TextDecoder().decode(json.stdout));
  const problems = findProblems(documentation, (url) => Deno.readTextFileSync(new URL(url)));
  for (const problem of problems) console.error(problem);
  const symbols = Object.values(documentation.nodes).flatMap((node) => node.symbols);
  console.log(`doc: ${symbols.length} symbols, ${problems.length} problems`);
  Deno.exit(lint.success && json.success && problems.length === 0 ? 0 : 1);
}
