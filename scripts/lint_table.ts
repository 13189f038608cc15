/**
 * Writes `src/lint/table.ts`: what the lint rules know of this package, which functions give
 * operations, which arguments are bodies, and what is given to them.
 *
 * Invariant: the table follows from the types behind every door that `deno.json` exports, so that
 * no operation is forgotten. Without `--write` this only compares, for the gate; `deno task
 * lint:table --write` mends the table.
 */
import config from "../deno.json" with { type: "json" };
import { TABLE as TABLE_NOW } from "../src/lint/table.ts";

const top = new URL("../", import.meta.url);
const TABLE = "src/lint/table.ts";

/** A type, as `deno doc --json` gives it. */
interface DocType {
  kind: string;
  repr?: string;
  // deno-lint-ignore no-explicit-any -- differs with each kind
  value?: any;
}
interface DocParam {
  kind: string;
  optional?: boolean;
  left?: DocParam;
  arg?: DocParam;
  tsType?: DocType;
}
interface DocTypeParam {
  name: string;
  constraint?: DocType;
}
interface DocFunction {
  params: DocParam[];
  returnType?: DocType;
  typeParams?: DocTypeParam[];
}
interface DocMember extends Partial<DocFunction> {
  name: string;
  isStatic?: boolean;
  kind?: string;
  functionDef?: DocFunction;
  tsType?: DocType;
}
interface DocDeclaration {
  kind: string;
  def: Partial<DocFunction> & {
    extends?: string | DocType[];
    properties?: DocMember[];
    methods?: DocMember[];
    tsType?: DocType;
    typeParams?: DocTypeParam[];
    superTypeParams?: DocType[];
  };
}
/** What a type parameter stands for, or what it extends. */
type Bounds = Map<string, DocType>;

/** The output of `deno doc --json`. */
export interface Doc {
  nodes: Record<string, { symbols: { name: string; declarations: DocDeclaration[] }[] }>;
}

/** The name of a type that is only a name: `Operation<T>` gives "Operation". */
function nameOf(type: DocType | undefined): string | undefined {
  return type?.kind === "typeRef" ? type.value.typeName : undefined;
}

/** `T | undefined` and `T | null` as `T`; any other union, and what is no union, as it is. */
function present(type: DocType | undefined): DocType | undefined {
  while (type?.kind === "parenthesized") type = type.value as DocType;
  if (type?.kind !== "union") return type;
  const rest = (type.value as DocType[]).filter((each) =>
    each.repr !== "undefined" && each.repr !== "null" && each.repr !== "void"
  );
  return rest.length === 1 ? rest[0] : type;
}

const OPERATIONS = new Set(["Operation", "Coroutine", "Selectable"]);

/** Makes the table from the documentation of every door. */
export function makeTable(doc: Doc): Record<string, string> {
  const declarations = new Map<string, DocDeclaration[]>();
  for (const { symbols } of Object.values(doc.nodes)) {
    for (const { name, declarations: all } of symbols) {
      const own = all.filter((each) => each.kind !== "reference"); // told in full with another door
      declarations.set(name, [...declarations.get(name) ?? [], ...own]);
    }
  }
  const aliasOf = (name: string | undefined) =>
    declarations.get(name ?? "")?.find((each) => each.kind === "typeAlias")?.def;
  const isType = (name: string | undefined) =>
    declarations.get(name ?? "")?.some((each) =>
        each.kind === "class" || each.kind === "interface"
      ) === true && !OPERATIONS.has(name!);

  /** The type with its parameters filled in: an alias as what it stands for. */
  function resolve(type: DocType | undefined, known: Bounds): DocType | undefined {
    type = present(type);
    const name = nameOf(type);
    if (name === undefined) return type;
    const bound = known.get(name);
    if (bound !== undefined) {
      return nameOf(present(bound)) === name ? present(bound) : resolve(bound, known);
    }
    const alias = aliasOf(name);
    if (alias === undefined || name === "Body" || OPERATIONS.has(name)) return type;
    const given: DocType[] = type!.value.typeParams ?? [];
    const filled = new Map(
      alias.typeParams?.flatMap((each, i) =>
        given[i] ? [[each.name, resolve(given[i], known)!] as const] : []
      ),
    );
    return substitute(alias.tsType, filled);
  }

  /** Only as deep as is asked here: the parameters of a function type. */
  function substitute(type: DocType | undefined, known: Bounds): DocType | undefined {
    if (type?.kind !== "fnOrConstructor") return resolve(type, known);
    const params = (type.value.params as DocParam[]).map((each) => ({
      ...each,
      tsType: resolve(each.tsType, known),
    }));
    return { ...type, value: { ...type.value, params } };
  }

  /** The name of one of our types, for a value of that type. */
  function valueName(type: DocType | undefined, known: Bounds): string {
    const name = nameOf(resolve(type, known));
    return isType(name) ? name! : "";
  }

  const returnsOperation = (type: DocType | undefined): boolean =>
    type?.kind === "union"
      ? (type.value as DocType[]).some(returnsOperation)
      : OPERATIONS.has(nameOf(type) ?? "");

  /** What kind of argument is wanted: see the head of the table. */
  function argument(param: DocParam, bounds: Bounds): string {
    const type = resolve((param.left ?? param).tsType, bounds);
    const name = nameOf(type);
    if (OPERATIONS.has(name ?? "")) return "operation";
    if (name === "Body") {
      const given: DocType[] = type!.value.typeParams?.[1]?.value ?? [];
      return `body${tuple(given, bounds)}`;
    }
    if (type?.kind === "fnOrConstructor") {
      const { tsType, params } = type.value as { tsType: DocType; params: DocParam[] };
      return returnsOperation(tsType)
        ? `function${tuple(params.map((each) => each.tsType), bounds)}`
        : "";
    }
    if (type?.kind === "union") {
      const parts = (type.value as DocType[]).map((each) =>
        argument({ kind: "", tsType: each }, bounds)
      );
      const several = parts.find((each) => each === "operations" || each === "bodies");
      if (several) return several;
      const body = parts.find((each) => each.startsWith("body"));
      if (body) return body;
      const fn = parts.find((each) => each.startsWith("function"));
      return fn && parts.includes("operation") ? fn.replace("function", "body") : "";
    }
    if (name === "Readonly") {
      return argument({ kind: "", tsType: type!.value.typeParams[0] }, bounds);
    }
    const inner = type?.kind === "typeOperator" ? type.value.tsType as DocType : type;
    const element = inner?.kind === "array"
      ? inner.value as DocType
      : name === "Iterable"
      ? type!.value.typeParams[0]
      : name === "Record" || name === "ReadonlyMap"
      ? type!.value.typeParams[1]
      : undefined;
    const each = element ? argument({ kind: "", tsType: element }, bounds) : "";
    if (each === "operation") return "operations";
    if (each.startsWith("body")) return "bodies";
    return "";
  }

  const tuple = (types: (DocType | undefined)[], bounds: Bounds) => {
    const names = types.map((each) => valueName(each, bounds));
    while (names.at(-1) === "") names.pop();
    return names.length > 0 ? `(${names.join(" ")})` : "";
  };

  /** What the operation, or the call, gives. */
  function result(type: DocType | undefined, fn: Partial<DocFunction>, bounds: Bounds): string {
    type = present(type);
    const name = nameOf(type);
    if (name === undefined) return "";
    if (OPERATIONS.has(name)) return `*${result(type!.value.typeParams?.[0], fn, bounds)}`;
    if (fn.typeParams?.some((each) => each.name === name)) {
      const at = fn.params!.findIndex((each) => {
        const given = (each.left ?? each).tsType;
        return ["Body", ...OPERATIONS].includes(nameOf(given) ?? "") &&
          nameOf(given!.value.typeParams?.[0]) === name;
      });
      return at < 0 ? "" : `@${at}`;
    }
    return valueName(type, bounds);
  }

  function signature(fn: Partial<DocFunction>, around: Bounds = new Map()): string | undefined {
    const bounds: Bounds = new Map([...around, ...boundsOf(fn.typeParams)]);
    const wanted = (fn.params ?? []).map((each) => argument(each, bounds));
    while (wanted.at(-1) === "") wanted.pop();
    const gives = result(fn.returnType, fn, bounds);
    return wanted.length > 0 || gives !== ""
      ? `(${wanted.join(", ")}) => ${gives}`.trim()
      : undefined;
  }

  const table: Record<string, string> = {};
  const add = (key: string, line: string | undefined) => {
    if (line !== undefined) table[key] ??= line;
  };

  /**
   * The members of a class or interface, as those of `name`; a subclass that says what a type
   * parameter is gets them anew.
   */
  function addMembers(name: string, def: DocDeclaration["def"], around: Bounds): void {
    for (const method of def.methods ?? []) {
      if (method.name.startsWith("[")) continue;
      const key = `${name}${method.isStatic ? "." : "#"}${method.name}`;
      add(key, signature(method.functionDef ?? method, around));
    }
    for (const property of def.properties ?? []) {
      const type = valueName(property.tsType, around);
      if (type !== "") add(`${name}${property.isStatic ? "." : "#"}${property.name}`, `: ${type}`);
    }
    const parent = typeof def.extends === "string" && def.superTypeParams?.length
      ? declarations.get(def.extends)?.find((each) => each.kind === "class")?.def
      : undefined;
    if (parent === undefined) return;
    const given = parent.typeParams?.flatMap((each, i) =>
      def.superTypeParams![i] ? [[each.name, def.superTypeParams![i]] as const] : []
    );
    addMembers(
      name,
      { ...parent, methods: parent.methods?.filter((each) => !each.isStatic) },
      new Map(given),
    );
  }

  for (const [name, each] of declarations) {
    for (const { kind, def } of each) {
      if (kind === "function") add(name, signature(def));
      else if (kind === "variable" && def.tsType?.kind === "typeLiteral") {
        for (const method of def.tsType.value.methods ?? []) {
          add(`${name}.${method.name}`, signature(method));
        }
      } else if (kind === "typeAlias" && isType(nameOf(def.tsType))) {
        add(name, `type ${nameOf(def.tsType)}`);
      } else if ((kind === "class" || kind === "interface") && !OPERATIONS.has(name)) {
        const parents = typeof def.extends === "string"
          ? [def.extends]
          : def.extends?.map((parent) => nameOf(parent) ?? "") ?? [];
        add(name, ["type", ...parents.filter(isType)].join(" "));
        addMembers(name, def, boundsOf(def.typeParams));
      }
    }
  }
  return sorted(onlyUseful(table));
}

function boundsOf(typeParams: DocTypeParam[] = []): Bounds {
  return new Map(
    typeParams.flatMap((each) => each.constraint ? [[each.name, each.constraint]] : []),
  );
}

/** Without the types from which no operation can be reached: options, statistics, errors. */
function onlyUseful(table: Record<string, string>): Record<string, string> {
  const useful = new Set<string>();
  const mentions = (line: string) => line.match(/\w+/g)?.some((word) => useful.has(word)) === true;
  const speaks = (key: string, line: string) =>
    !line.startsWith("type") && (/[*@]|operation|body|function/.test(line) || mentions(line)) ||
    (line.startsWith("type") && (useful.has(key) || mentions(line)));
  for (let before = -1; before !== useful.size;) {
    before = useful.size;
    for (const [key, line] of Object.entries(table)) {
      if (speaks(key, line)) useful.add(key.split(/[.#]/)[0]);
    }
  }
  return Object.fromEntries(Object.entries(table).filter(([key, line]) => speaks(key, line)));
}

function sorted(table: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0),
  );
}

const HEAD = `/**
 * What the rules know of this package. Made from its types: \`deno task lint:table --write\`.
 *
 * A name alone is a function, or, with \`type\`, a class or interface and those it extends.
 * \`Nursery.open\` is static, \`Nursery#start\` of an instance, \`: CancelScope\` a property. A
 * signature has what each argument must be: an \`operation\` (a coroutine that was made, never a
 * function), several \`operations\`, a \`function\` that makes one, a \`body\` (either), and in
 * parentheses what the function is given; then what the call gives: \`*\` an operation, \`*Task\`
 * one whose value is a \`Task\`, \`*@1\` one that gives what argument 1 gives.
 */
export const TABLE: Readonly<Record<string, string>> = `;

/** The text of the module that holds a table. */
export function format(table: Record<string, string>): string {
  const lines = Object.entries(table).map(([key, line]) =>
    `  ${/^\w+$/.test(key) ? key : JSON.stringify(key)}: ${JSON.stringify(line)},\n`
  );
  return `${HEAD}{\n${lines.join("")}};\n`;
}

/**
 * What \`deno doc\` says of every door but \`lint\`, whose exports are none that a coroutine uses.
 */
export function readDoc(): Doc {
  const doors = Object.entries(config.exports).filter(([name]) => name !== "./lint");
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "--quiet", ...doors.map(([, file]) => file)],
    cwd: top,
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/**
 * What a table says otherwise than the types do; the order of its lines, which a merge may mix,
 * does not matter.
 */
export function differences(
  table: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): string[] {
  const keys = [...new Set([...Object.keys(table), ...Object.keys(wanted)])].sort();
  return keys.filter((key) => table[key] !== wanted[key])
    .map((key) => `${key}: ${table[key] ?? "missing"}, but ${wanted[key] ?? "gone"}`);
}

if (import.meta.main) {
  const wanted = makeTable(readDoc());
  if (Deno.args.includes("--write")) {
    Deno.writeTextFileSync(new URL(TABLE, top), format(wanted));
  } else {
    const found = differences(TABLE_NOW, wanted);
    for (const each of found) console.error(each);
    if (found.length > 0) {
      console.error(`${TABLE} is not what the types say: run deno task lint:table --write`);
      Deno.exit(1);
    }
  }
}
