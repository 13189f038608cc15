/**
 * Which variable a name means, and where each variable is read and written. Deno gives its plugins
 * no scopes, so they are found here, in the same way for all tools.
 *
 * Invariant: a name that the file does not declare has no variable: it is a global. Names in types
 * are not reads.
 * Independent of: what a value is (`values.ts`), this package.
 */
import { childrenOf, isFunction, type Node } from "./ast.ts";

/** A name that the file declares. */
export interface Variable {
  readonly name: string;
  /** The identifier that declares it. */
  readonly id: Node;
  /**
   * What declares it: a declarator, function, class, import specifier, catch clause, or, for a
   * parameter, the function.
   */
  readonly definition: Node;
  readonly reads: Node[];
  readonly writes: Node[];
  exported: boolean;
}

/** The variables of one function, block or other stretch of code. */
class Scope {
  readonly names: Map<string, Variable> = new Map();
  readonly parent: Scope | null;
  readonly node: Node;

  constructor(parent: Scope | null, node: Node) {
    this.parent = parent;
    this.node = node;
  }

  declare(id: Node, definition: Node): void {
    if (this.names.has(id.name)) return;
    this.names.set(id.name, {
      name: id.name,
      id,
      definition,
      reads: [],
      writes: [],
      exported: false,
    });
  }
}

const BLOCKS = new Set([
  "BlockStatement",
  "CatchClause",
  "ClassDeclaration",
  "ClassExpression",
  "ForInStatement",
  "ForOfStatement",
  "ForStatement",
  "Program",
  "StaticBlock",
  "SwitchStatement",
  "TSModuleBlock",
]);

/** The scopes of a file. */
export class Scopes {
  /** Every node that may hold code, in the order of the source. */
  readonly nodes: Node[] = [];
  readonly #scopes: Map<Node, Scope> = new Map();
  readonly #identifiers: Node[] = [];

  constructor(program: Node) {
    this.#declareIn(program, new Scope(null, program));
    for (const id of this.#identifiers) this.#resolve(id);
    for (const node of this.nodes) this.#noteExports(node);
  }

  /** Every variable of the file. */
  *variables(): Iterable<Variable> {
    for (const scope of this.#scopes.values()) yield* scope.names.values();
  }

  /** The variable that `name` means at a node; undefined for a global. */
  find(name: string, at: Node): Variable | undefined {
    for (let node: Node | null = at; node; node = node.parent) {
      const found = this.#scopes.get(node)?.names.get(name);
      if (found !== undefined) return found;
    }
  }

  #declareIn(node: Node, scope: Scope): void {
    this.nodes.push(node);
    if (BLOCKS.has(node.type) || isFunction(node)) {
      scope = new Scope(scope, node);
      this.#scopes.set(node, scope);
    }
    switch (node.type) {
      case "Identifier":
        this.#identifiers.push(node);
        break;
      case "ImportDeclaration":
        for (const each of node.specifiers) scope.declare(each.local, each);
        break;
      case "TSImportEqualsDeclaration":
        scope.declare(node.id, node);
        break;
      case "FunctionDeclaration":
      case "TSDeclareFunction":
        if (node.id) (scope.node === node ? scope.parent! : scope).declare(node.id, node);
        break;
      case "FunctionExpression":
        if (node.id) scope.declare(node.id, node);
        break;
      case "ClassDeclaration":
        if (node.id) scope.parent!.declare(node.id, node);
        break;
      case "ClassExpression":
        if (node.id) scope.declare(node.id, node);
        break;
      case "TSEnumDeclaration":
      case "TSModuleDeclaration":
        if (node.id?.type === "Identifier") scope.declare(node.id, node);
        break;
      case "VariableDeclaration": {
        let target = scope;
        if (node.kind === "var") {
          while (!isFunction(target.node) && target.parent?.parent) target = target.parent;
        }
        for (const each of node.declarations) {
          for (const id of namesOf(each.id)) target.declare(id, each);
        }
        break;
      }
      case "CatchClause":
        for (const id of namesOf(node.param)) scope.declare(id, node);
        break;
    }
    if (isFunction(node)) {
      for (const param of node.params) {
        for (const id of namesOf(param)) scope.declare(id, node);
      }
    }
    for (const child of childrenOf(node)) this.#declareIn(child, scope);
  }

  #resolve(id: Node): void {
    const { parent } = id;
    if (isLabel(id, parent)) return;
    const variable = this.find(id.name, id);
    if (variable === undefined || variable.id === id) return;
    if (isWritten(id)) variable.writes.push(id);
    else variable.reads.push(id);
  }

  #noteExports(node: Node): void {
    const exports = node.type === "ExportNamedDeclaration" ||
      node.type === "ExportDefaultDeclaration";
    const { declaration } = node;
    if (!exports || !declaration) return;
    const ids: Node[] = declaration.type === "VariableDeclaration"
      ? declaration.declarations.flatMap((each: Node) => namesOf(each.id))
      : [declaration.id ?? []].flat();
    for (const id of ids) {
      const variable = this.find(id.name, node);
      if (variable) variable.exported = true;
    }
  }
}

/** Whether an identifier only names a member, a key or a label. */
function isLabel(id: Node, parent: Node): boolean {
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === id && parent.computed !== true;
    case "Property":
      return parent.key === id && parent.computed !== true && parent.value !== id;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
      return parent.key === id && parent.computed !== true;
  }
  return false;
}

/** Whether an identifier is a target: `x = 1`, `[x] = list`, `x++`, `for (x of list)`. */
function isWritten(id: Node): boolean {
  let node = id;
  for (let { parent } = node;; node = parent, parent = node.parent) {
    switch (parent.type) {
      case "AssignmentExpression":
        return parent.left === node && parent.operator === "=";
      case "ForInStatement":
      case "ForOfStatement":
        return parent.left === node;
      case "AssignmentPattern":
        if (parent.left !== node) return false;
        break;
      case "Property":
        if (parent.value !== node || parent.parent.type !== "ObjectPattern") return false;
        break;
      case "ArrayPattern":
      case "ObjectPattern":
      case "RestElement":
        break;
      default:
        return false;
    }
  }
}

/** The identifiers that a pattern declares. */
export function namesOf(pattern: Node | null | undefined): Node[] {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern];
    case "ObjectPattern":
      return pattern.properties.flatMap((each: Node) =>
        namesOf(each.type === "RestElement" ? each.argument : each.value)
      );
    case "ArrayPattern":
      return pattern.elements.flatMap(namesOf);
    case "AssignmentPattern":
      return namesOf(pattern.left);
    case "RestElement":
      return namesOf(pattern.argument);
    case "TSParameterProperty":
      return namesOf(pattern.parameter);
  }
  return [];
}
