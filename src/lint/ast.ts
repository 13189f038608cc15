/**
 * The syntax tree, as Deno, ESLint and Oxlint give it: which nodes are looked at, and small
 * questions about one of them.
 *
 * Invariant: only what all three trees have in common is used. Each follows ESTree and TS-ESTree,
 * with differences: Deno leaves out empty statements, nests `ChainExpression` otherwise, wraps the
 * body of a static block, and gives its properties as getters.
 * Independent of: names and scopes (`scopes.ts`), what a value is (`values.ts`), the rules.
 */

/** A node of the tree. */
// deno-lint-ignore no-explicit-any -- the trees of three parsers; every use asks for `type` first
export type Node = { type: string; range: [number, number]; parent: Node } & Record<string, any>;

/**
 * Where the children of a node stand, in the order of the source. Types are left out: they hold no
 * code that runs.
 */
const CHILDREN: Readonly<Record<string, string>> = {
  ArrayExpression: "elements",
  ArrayPattern: "elements",
  ArrowFunctionExpression: "params body",
  AssignmentExpression: "left right",
  AssignmentPattern: "left right",
  AwaitExpression: "argument",
  BinaryExpression: "left right",
  BlockStatement: "body",
  BreakStatement: "",
  CallExpression: "callee arguments",
  CatchClause: "param body",
  ChainExpression: "expression",
  ClassBody: "body",
  ClassDeclaration: "decorators superClass body",
  ClassExpression: "decorators superClass body",
  ConditionalExpression: "test consequent alternate",
  ContinueStatement: "",
  Decorator: "expression",
  DoWhileStatement: "body test",
  EmptyStatement: "",
  ExportAllDeclaration: "",
  ExportDefaultDeclaration: "declaration",
  ExportNamedDeclaration: "declaration specifiers",
  ExportSpecifier: "local",
  ExpressionStatement: "expression",
  ForInStatement: "left right body",
  ForOfStatement: "left right body",
  ForStatement: "init test update body",
  FunctionDeclaration: "params body",
  FunctionExpression: "params body",
  Identifier: "",
  IfStatement: "test consequent alternate",
  ImportDeclaration: "",
  ImportExpression: "source",
  LabeledStatement: "body",
  Literal: "",
  LogicalExpression: "left right",
  MemberExpression: "object property",
  MetaProperty: "",
  MethodDefinition: "decorators key value",
  NewExpression: "callee arguments",
  ObjectExpression: "properties",
  ObjectPattern: "properties",
  ParenthesizedExpression: "expression",
  Program: "body",
  Property: "key value",
  PropertyDefinition: "decorators key value",
  RestElement: "argument",
  ReturnStatement: "argument",
  SequenceExpression: "expressions",
  SpreadElement: "argument",
  StaticBlock: "body",
  SwitchCase: "test consequent",
  SwitchStatement: "discriminant cases",
  TaggedTemplateExpression: "tag quasi",
  TemplateElement: "",
  TemplateLiteral: "expressions",
  ThrowStatement: "argument",
  TryStatement: "block handler finalizer",
  UnaryExpression: "argument",
  UpdateExpression: "argument",
  VariableDeclaration: "declarations",
  VariableDeclarator: "id init",
  WhileStatement: "test body",
  WithStatement: "object body",
  YieldExpression: "argument",
  // Of TypeScript, what has code inside.
  AccessorProperty: "decorators key value",
  TSAsExpression: "expression",
  TSEnumBody: "members",
  TSEnumDeclaration: "body members",
  TSEnumMember: "initializer",
  TSExportAssignment: "expression",
  TSInstantiationExpression: "expression",
  TSModuleBlock: "body",
  TSModuleDeclaration: "body",
  TSNonNullExpression: "expression",
  TSParameterProperty: "parameter",
  TSSatisfiesExpression: "expression",
  TSTypeAssertion: "expression",
};

const NOT_CHILDREN = new Set(["parent", "loc", "range", "tokens", "comments", "type"]);

/**
 * The children of a node that may hold code. A node of an unknown kind (JSX, say) is searched
 * whole.
 */
export function childrenOf(node: Node): Node[] {
  const known = CHILDREN[node.type];
  if (known === "" || (known === undefined && node.type.startsWith("TS"))) return [];
  const keys: string[] = [];
  if (known !== undefined) keys.push(...known.split(" "));
  else for (const key in node) if (!NOT_CHILDREN.has(key)) keys.push(key);
  const children: Node[] = [];
  for (const key of keys) {
    const value: unknown = node[key];
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) children.push(child);
    }
  }
  return children;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null &&
    typeof (value as { type?: unknown }).type === "string" && "range" in value &&
    Boolean((value as Node).parent); // TypeScript's parser also gives copies that stand nowhere
}

/** Whether a node is a function of any kind. */
export function isFunction(node: Node | null | undefined): boolean {
  return node?.type === "FunctionDeclaration" || node?.type === "FunctionExpression" ||
    node?.type === "ArrowFunctionExpression";
}

/** Whether a node is a `function*` that is not async. */
export function isGenerator(node: Node): boolean {
  return isFunction(node) && node.generator === true && node.async !== true;
}

const WRAPPERS = new Set([
  "ChainExpression",
  "ParenthesizedExpression",
  "TSAsExpression",
  "TSInstantiationExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);

/** The expression without what does not change its value: parentheses, type assertions, `!`. */
export function unwrap(node: Node): Node {
  while (WRAPPERS.has(node.type)) node = node.expression;
  return node;
}

/** The outermost wrapper around an expression: what `unwrap` would take off. */
export function wrapped(node: Node): Node {
  while (node.parent && WRAPPERS.has(node.parent.type)) node = node.parent;
  return node;
}

/**
 * The function, or the program, that a node stands in; the function itself does not stand in
 * itself.
 */
export function functionAround(node: Node): Node {
  let at = node;
  do at = at.parent ?? at; while (!isFunction(at) && at.type !== "Program");
  return at;
}

/** Whether `inner` is `outer` or stands in it. */
export function contains(outer: Node | null | undefined, inner: Node): boolean {
  return outer !== null && outer !== undefined && outer.range[0] <= inner.range[0] &&
    inner.range[1] <= outer.range[1];
}

/** The name of a key or member that is written out: `a.b`, `a["b"]`, `{ b: 1 }`, `#b`. */
export function keyName(key: Node, computed: boolean): string | undefined {
  if (key.type === "Literal") return typeof key.value === "string" ? key.value : undefined;
  if (computed) return undefined;
  if (key.type === "Identifier") return key.name;
  if (key.type === "PrivateIdentifier" || key.type === "PrivateName") return `#${key.name}`;
}

/** The name of the member that is asked for, where it is written out. */
export function memberName(node: Node): string | undefined {
  return node.type === "MemberExpression"
    ? keyName(node.property, node.computed === true)
    : undefined;
}

/** The type arguments of a type reference: parsers disagree on where they stand. */
export function typeArguments(node: Node): Node[] {
  return (node.typeArguments ?? node.typeParameters)?.params ?? [];
}

/** The identifier of a parameter that is no pattern, with or without a default value. */
export function plainParameter(param: Node): Node | undefined {
  if (param.type === "TSParameterProperty") return plainParameter(param.parameter);
  if (param.type === "AssignmentPattern") return plainParameter(param.left);
  return param.type === "Identifier" ? param : undefined;
}

/** The key under which an object pattern takes a variable. */
export function patternKey(pattern: Node, id: Node): string | undefined {
  for (const each of pattern.properties) {
    if (each.type !== "Property") continue;
    const target = each.value.type === "AssignmentPattern" ? each.value.left : each.value;
    if (target === id) return keyName(each.key, each.computed);
  }
}

/** The class whose instance `this` is. */
export function classAround(node: Node): Node | undefined {
  let fn = functionAround(node);
  while (fn.type === "ArrowFunctionExpression") fn = functionAround(fn);
  const member = fn.parent;
  if (member?.type !== "MethodDefinition" || member.static) return undefined;
  return member.parent.parent;
}
