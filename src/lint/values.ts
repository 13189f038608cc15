/**
 * What an expression is, as far as this file and the table tell: an operation, a coroutine,
 * something of this package.
 *
 * Invariant: "unknown" (undefined) wherever it is not certain; the rules say nothing of what is
 * unknown. A variable that is assigned to again is unknown. No types are needed; annotations that
 * name this package's types are used.
 * Independent of: the rules and what they report.
 */
import {
  classAround,
  functionAround,
  isFunction,
  isGenerator,
  keyName,
  memberName,
  type Node,
  patternKey,
  plainParameter,
  typeArguments,
  unwrap,
  wrapped,
} from "./ast.ts";
import {
  type Argument,
  elementOf,
  exported,
  instance,
  type Signature,
  tabled,
  type Value,
} from "./knowledge.ts";
import { Nodes } from "./nodes.ts";
import { Scopes, type Variable } from "./scopes.ts";

/** The global classes that a `Cancelled` is an instance of. */
const ANCESTORS_OF_CANCELLED = new Set(["Error", "Object"]);

/** Which expressions of a file are what. */
export class Values {
  readonly scopes: Scopes;
  readonly nodes: Nodes;
  /** Whether the file has anything to do with this package at all. */
  readonly concerned: boolean;
  readonly #isOurs: (specifier: string) => boolean;
  readonly #values: Map<Node, Value | undefined> = new Map();
  readonly #coroutines: Map<Node, boolean> = new Map();
  /** How many `isCoroutine` are under way. */
  #depth = 0;

  constructor(program: Node, isOurs: (specifier: string) => boolean) {
    this.#isOurs = isOurs;
    this.scopes = new Scopes(program);
    this.concerned = this.scopes.nodes.some((node) =>
      node.type === "ImportDeclaration"
        ? isOurs(node.source.value)
        : this.#loadedModule(node) !== undefined
    );
    this.nodes = new Nodes(this.concerned ? this.scopes.nodes : []);
  }

  /** What an expression is; undefined where that is not certain. */
  of(node: Node | null | undefined): Value | undefined {
    if (!node) return undefined;
    node = unwrap(node);
    if (this.#values.has(node)) return this.#values.get(node);
    this.#values.set(node, undefined); // ends a circle: x = x
    const value = this.#find(node);
    this.#values.set(node, value);
    return value;
  }

  /**
   * The operation that an expression is: of this package, or made by a `function*` that is
   * certainly a coroutine.
   */
  operation(node: Node | null | undefined): Value & { kind: "operation" } | undefined {
    const value = this.of(node);
    if (value?.kind !== "operation") return undefined;
    return value.fn === undefined || this.isCoroutine(value.fn) ? value : undefined;
  }

  /** The signature of the function of this package that is called. */
  signature(call: Node): Signature | undefined {
    const callee = this.of(call.callee);
    return callee?.kind === "export" ? callee.signature : undefined;
  }

  /**
   * The key in the table of the function that is called: "sleep", "Nursery.open",
   * "Receiver#receive".
   */
  callee(node: Node | null | undefined): string | undefined {
    const call = node && unwrap(node);
    if (call?.type !== "CallExpression") return undefined;
    const callee = this.of(call.callee);
    return callee?.kind === "export" ? callee.key : undefined;
  }

  /** The name that an identifier has as an export of this package. */
  exportedKey(node: Node): string | undefined {
    const value = this.of(node);
    return value?.kind === "export" ? value.key : undefined;
  }

  /** Whether a function gives an operation as its value, on purpose: its annotation says so. */
  givesOperation(fn: Node): boolean {
    const annotated = this.#ofAnnotation(fn.returnType?.typeAnnotation, fn);
    return annotated?.kind === "operation" && annotated.gives?.kind === "operation";
  }

  /**
   * Whether a class that is asked for with `instanceof` is `Cancelled` or one that it extends;
   * undefined where unknown.
   */
  holdsCancelled(node: Node): boolean | undefined {
    node = unwrap(node);
    if (node.type === "MemberExpression") {
      const inside = this.of(node.object)?.kind === "namespace";
      return inside && memberName(node) === "Cancelled";
    }
    if (node.type !== "Identifier") return undefined;
    const variable = this.scopes.find(node.name, node);
    if (variable === undefined) return ANCESTORS_OF_CANCELLED.has(node.name);
    return this.#importedName(variable) === "Cancelled";
  }

  /** Whether a `function*` is certainly a coroutine of this package's loops. */
  isCoroutine(fn: Node): boolean {
    const known = this.#coroutines.get(fn);
    if (known !== undefined) return known;
    this.#coroutines.set(fn, false); // ends a circle: two functions that call each other
    this.#depth++;
    const is = isGenerator(fn) &&
      (this.#isAnnotated(fn) || this.#isUsedAsBody(fn) || this.#waits(fn));
    this.#depth--;
    if (is || this.#depth === 0) this.#coroutines.set(fn, is);
    else this.#coroutines.delete(fn); // "no" may only mean that a circle was cut
    return is;
  }

  /** The `yield`s of a function, without those of functions inside it. */
  yieldsOf(fn: Node): Node[] {
    return this.nodes.within(fn.body, "YieldExpression");
  }

  /** The variable that a function is called by, where it is declared or assigned once. */
  variableOf(fn: Node): Variable | undefined {
    const id = fn.type === "FunctionDeclaration"
      ? fn.id
      : fn.parent.type === "VariableDeclarator" && fn.parent.init === fn
      ? fn.parent.id
      : undefined;
    return id?.type === "Identifier" ? this.scopes.find(id.name, id) : undefined;
  }

  /**
   * What argument of which of this package's functions a node is: itself, or an element of an array
   * or record given to `all`.
   */
  argumentOf(node: Node): Argument | undefined {
    const outer = wrapped(node);
    const { parent } = outer;
    if (parent.type === "CallExpression") {
      const at = parent.arguments.indexOf(outer);
      return at < 0 ? undefined : this.signature(parent)?.wants[at];
    }
    const list = parent.type === "ArrayExpression"
      ? parent
      : parent.type === "Property" && parent.value === outer &&
          parent.parent.type === "ObjectExpression"
      ? parent.parent
      : undefined;
    if (list === undefined) return undefined;
    const wanted = this.argumentOf(list);
    return wanted && elementOf(wanted);
  }

  #isAnnotated(fn: Node): boolean {
    return this.#ofAnnotation(fn.returnType?.typeAnnotation, fn)?.kind === "operation";
  }

  #waits(fn: Node): boolean {
    return this.yieldsOf(fn).some((each) => each.delegate && this.operation(each.argument));
  }

  #isUsedAsBody(fn: Node): boolean {
    if (this.#isRun(fn)) return true;
    const direct = wrapped(fn).parent;
    if (direct.type === "CallExpression" && this.#isRun(direct)) return true;
    return this.variableOf(fn)?.reads.some((read) => {
      const outer = wrapped(read);
      if (this.#isRun(outer)) return true;
      const call = outer.parent;
      if (call.type !== "CallExpression" || call.callee !== outer) return false;
      if (this.#isRun(call)) return true;
      const around = wrapped(call).parent;
      if (around.type !== "YieldExpression" || !around.delegate) return false;
      const caller = functionAround(around);
      return caller !== fn && this.isCoroutine(caller);
    }) === true;
  }

  /** Whether a node is given to this package as a coroutine or body; not as a list of them. */
  #isRun(node: Node): boolean {
    const wanted = this.argumentOf(node);
    return wanted !== undefined && wanted.kind !== "" && elementOf(wanted) === undefined;
  }

  /** The specifier of `require("...")` and `import("...")`, where it means this package. */
  #loadedModule(node: Node): string | undefined {
    const source = node.type === "ImportExpression"
      ? node.source
      : node.type === "CallExpression" && node.callee.type === "Identifier" &&
          node.callee.name === "require"
      ? node.arguments[0]
      : undefined;
    const specifier = source?.type === "Literal" ? source.value : undefined;
    return typeof specifier === "string" && this.#isOurs(specifier) ? specifier : undefined;
  }

  #importedName(variable: Variable): string | undefined {
    const { definition } = variable;
    if (definition.type === "ImportSpecifier") {
      return this.#isOurs(definition.parent.source.value)
        ? definition.imported.name ?? definition.imported.value
        : undefined;
    }
    if (definition.type !== "VariableDeclarator") return undefined;
    if (definition.id.type !== "ObjectPattern") return undefined;
    if (this.of(definition.init)?.kind !== "namespace") return undefined;
    return patternKey(definition.id, variable.id);
  }

  #find(node: Node): Value | undefined {
    switch (node.type) {
      case "Identifier": {
        const variable = this.scopes.find(node.name, node);
        return variable && this.#ofVariable(variable);
      }
      case "MemberExpression":
        return this.#member(this.of(node.object), memberName(node));
      case "CallExpression":
        return this.#loadedModule(node) === undefined ? this.#ofCall(node) : { kind: "namespace" };
      case "NewExpression": {
        const made = this.of(node.callee);
        if (made?.kind === "class") return { kind: "instance", name: made.name };
        return made?.kind === "local class"
          ? { kind: "local instance", node: made.node }
          : undefined;
      }
      case "YieldExpression": {
        const value = node.delegate ? this.of(node.argument) : undefined;
        return value?.kind === "operation" ? value.gives : undefined;
      }
      case "AwaitExpression":
        return this.#loadedModule(unwrap(node.argument)) ? { kind: "namespace" } : undefined;
      case "AssignmentExpression":
        return node.operator === "=" ? this.of(node.right) : undefined;
      case "ConditionalExpression": {
        const [one, other] = [this.operation(node.consequent), this.operation(node.alternate)];
        return one && other ? { kind: "operation" } : undefined;
      }
      case "ArrowFunctionExpression":
      case "FunctionDeclaration":
      case "FunctionExpression":
        return { kind: "function", node };
      case "ClassDeclaration":
      case "ClassExpression":
        return { kind: "local class", node };
      case "ThisExpression": {
        const around = classAround(node);
        return around && { kind: "local instance", node: around };
      }
      case "ObjectExpression":
        return { kind: "object", node };
      case "ArrayExpression":
        return { kind: "array", node };
    }
  }

  #ofVariable({ definition, id, writes, name }: Variable): Value | undefined {
    if (writes.length > 0) return undefined;
    switch (definition.type) {
      case "ImportSpecifier":
      case "ImportDefaultSpecifier":
      case "ImportNamespaceSpecifier": {
        if (!this.#isOurs(definition.parent.source.value)) return undefined;
        if (definition.type === "ImportNamespaceSpecifier") return { kind: "namespace" };
        if (definition.type === "ImportDefaultSpecifier") return undefined;
        return exported(definition.imported.name ?? definition.imported.value);
      }
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        if (definition.id === id) return { kind: "function", node: definition };
        return this.#ofParameter(definition, id);
      case "ClassDeclaration":
      case "ClassExpression":
        return { kind: "local class", node: definition };
      case "VariableDeclarator": {
        const annotated = this.#ofAnnotation(
          definition.id.typeAnnotation?.typeAnnotation,
          definition,
        );
        if (annotated) return annotated;
        if (definition.id.type === "Identifier") {
          const loop = definition.parent.parent.type;
          if (loop === "ForOfStatement" || loop === "ForInStatement") return undefined;
          return this.of(definition.init);
        }
        if (definition.id.type !== "ObjectPattern") return undefined;
        return this.#member(this.of(definition.init), patternKey(definition.id, id) ?? name);
      }
    }
  }

  /**
   * A parameter: by its annotation, or by what the function of this package that takes this one
   * gives it.
   */
  #ofParameter(fn: Node, id: Node): Value | undefined {
    const at = fn.params.findIndex((param: Node) => plainParameter(param) === id);
    if (at < 0) return undefined;
    const annotated = this.#ofAnnotation(id.typeAnnotation?.typeAnnotation, fn);
    if (annotated !== undefined || id.typeAnnotation) return annotated;
    const given = this.argumentOf(fn)?.given[at] ??
      this.variableOf(fn)?.reads.map((read) => this.argumentOf(read)?.given[at]).find(Boolean);
    return given ? instance(given) : undefined;
  }

  #member(value: Value | undefined, name: string | undefined): Value | undefined {
    if (value === undefined || name === undefined) return undefined;
    switch (value.kind) {
      case "namespace":
        return exported(name);
      case "class":
        return tabled(value.name, ".", name);
      case "instance":
        return tabled(value.name, "#", name);
      case "object": {
        const property = value.node.properties.find((each: Node) =>
          each.type === "Property" && keyName(each.key, each.computed) === name
        );
        return property?.kind === "init" ? this.of(property.value) : undefined;
      }
      case "local class":
      case "local instance":
        return this.#classMember(value.node, name, value.kind === "local class");
    }
  }

  #classMember(node: Node, name: string, isStatic: boolean): Value | undefined {
    for (const each of node.body.body as Node[]) {
      if (each.type === "MethodDefinition" && each.kind === "constructor") {
        const field = each.value.params.find((param: Node) =>
          param.type === "TSParameterProperty" && plainParameter(param)?.name === name
        );
        const id = field && plainParameter(field);
        if (id && !isStatic) {
          return this.#ofAnnotation(id.typeAnnotation?.typeAnnotation, each.value);
        }
      }
      if (each.key === undefined || keyName(each.key, each.computed) !== name) continue;
      if ((each.static === true) !== isStatic) continue;
      if (each.type === "MethodDefinition") {
        return each.kind === "method" && isFunction(each.value)
          ? { kind: "function", node: each.value }
          : undefined;
      }
      if (each.type !== "PropertyDefinition") return undefined;
      return this.#ofAnnotation(each.typeAnnotation?.typeAnnotation, each) ??
        (each.readonly || name.startsWith("#") || isFunction(each.value)
          ? this.of(each.value)
          : undefined);
    }
    const parent = node.superClass && this.of(node.superClass);
    if (parent?.kind === "class") return tabled(parent.name, isStatic ? "." : "#", name);
    if (parent?.kind === "local class" && parent.node !== node) {
      return this.#classMember(parent.node, name, isStatic);
    }
  }

  #ofCall(call: Node): Value | undefined {
    const callee = this.of(call.callee);
    if (callee?.kind === "callable") return callee.gives;
    if (callee?.kind === "export") {
      const { gives } = callee.signature;
      if (!gives.startsWith("*")) return instance(gives);
      return { kind: "operation", gives: this.#given(gives.slice(1), call) };
    }
    return callee?.kind === "function" ? this.#ofLocalCall(callee.node) : undefined;
  }

  /** What an operation of this package gives: a type by name, or what an argument gives. */
  #given(name: string, call: Node): Value | undefined {
    if (!name.startsWith("@")) return instance(name);
    const body = this.of(call.arguments[Number(name.slice(1))]);
    if (body?.kind === "operation") return body.gives;
    const made = body?.kind === "function" ? this.#ofLocalCall(body.node) : undefined;
    return made?.kind === "operation" ? made.gives : undefined;
  }

  /** What calling a function of this file gives. */
  #ofLocalCall(fn: Node): Value | undefined {
    if (fn.async) return fn.generator ? undefined : { kind: "promise" };
    const annotated = this.#ofAnnotation(fn.returnType?.typeAnnotation, fn);
    if (fn.generator) {
      const gives = annotated?.kind === "operation" ? annotated.gives : this.#returned(fn);
      return { kind: "operation", fn, gives };
    }
    return annotated ?? this.#returned(fn);
  }

  /** What a function returns, where all its `return`s give the same kind of thing. */
  #returned(fn: Node): Value | undefined {
    if (fn.body?.type !== "BlockStatement") return this.of(fn.body);
    const values = this.nodes.within(fn.body, "ReturnStatement").map((each) =>
      this.of(each.argument)
    );
    const [first] = values;
    return values.every((each) => each !== undefined && each.kind === first?.kind)
      ? first
      : undefined;
  }

  #ofAnnotation(type: Node | undefined, at: Node): Value | undefined {
    if (type?.type === "TSUnionType") {
      const rest = type.types.filter((each: Node) =>
        each.type !== "TSUndefinedKeyword" && each.type !== "TSNullKeyword"
      );
      return rest.length === 1 ? this.#ofAnnotation(rest[0], at) : undefined;
    }
    if (type?.type === "TSFunctionType") {
      const gives = this.#ofAnnotation(type.returnType?.typeAnnotation, at);
      return gives && { kind: "callable", gives };
    }
    if (type?.type !== "TSTypeReference" || type.typeName.type !== "Identifier") return undefined;
    const variable = this.scopes.find(type.typeName.name, at);
    if (variable === undefined) return undefined;
    if (/^Class/.test(variable.definition.type)) {
      return { kind: "local instance", node: variable.definition };
    }
    const name = this.#importedName(variable);
    if (name === "Operation" || name === "Coroutine") {
      return { kind: "operation", gives: this.#ofAnnotation(typeArguments(type)[0], at) };
    }
    return name === undefined ? undefined : instance(name);
  }
}
