/**
 * What a `catch` does with a `Cancelled`: whether it throws it on, and what it waits for before.
 *
 * The statements of the `catch` are walked as if a `Cancelled` had been caught. A condition that is
 * certain then (`error instanceof Cancelled`, `error instanceof RangeError`, `error.code ===
 * "EPIPE"`) decides its branch. One that depends on the error in a way that is not known
 * (`isRetriable(error)`) is taken to send a `Cancelled` wherever it is thrown on. One that does not
 * depend on it (`attempt < 3`) may be either.
 *
 * Invariant: reported is only what follows from the text; where the author tells errors apart in a
 * way that is not understood, he is believed.
 * Independent of: which waits matter (the rules).
 */
import { contains, memberName, type Node, unwrap } from "./ast.ts";
import { namesOf } from "./scopes.ts";
import type { Values } from "./values.ts";

/** How a statement may end. */
const NEXT = 1;
const THROW = 2;
const RETURN = 4;
/** `break` or `continue`. */
const JUMP = 8;

/** What a `catch` does with a `Cancelled`. */
export interface CaughtCancel {
  /** Whether it may end without throwing. */
  readonly swallows: boolean;
  /** Whether the coroutine may go on after the `try`, or in the loop around it. */
  readonly goesOn: boolean;
  /**
   * Whether the error is kept for whoever looks at it later: returned, assigned, put into a list.
   */
  readonly keeps: boolean;
  /** The `yield*`s that it may reach before it throws. */
  readonly waits: readonly Node[];
}

/** Follows a `Cancelled` through a `catch`. */
export function followCancelled(handler: Node, values: Values): CaughtCancel {
  const flow = new Flow(handler, values);
  const ends = flow.walk(handler.body);
  return {
    swallows: (ends & ~THROW) !== 0,
    goesOn: (ends & (NEXT | JUMP)) !== 0,
    keeps: flow.keeps,
    waits: flow.waits,
  };
}

/** Methods that put a value into a list. */
const PUTS = /^(?:add|append|push|set|unshift)$/;
const TELLS_APART = /cancel|abort/i;
/**
 * A function of this name, given the error, is taken to throw it on or to report it as a failure.
 */
const PASSES_ON = /throw|cancel|abort|assert|fail|reject|never/i;

class Flow {
  readonly waits: Node[] = [];
  keeps = false;
  readonly #values: Values;
  readonly #handler: Node;
  /** The names that hold the error, or something of it. */
  readonly #names: Set<string>;

  constructor(handler: Node, values: Values) {
    this.#handler = handler;
    this.#values = values;
    this.#names = new Set(namesOf(handler.param).map((each) => each.name));
    for (const each of values.nodes.within(handler.body, "VariableDeclarator")) {
      if (this.#mentions(each.init)) {
        for (const id of namesOf(each.id)) this.#names.add(id.name);
      }
    }
  }

  /** How a statement may end, with a `Cancelled` in the names. */
  walk(node: Node | null | undefined): number {
    switch (node?.type) {
      case "BlockStatement":
        return this.#sequence(node.body);
      case "ThrowStatement":
        return THROW;
      case "ReturnStatement":
        this.#note(node.argument);
        if (this.#mentions(node.argument)) this.keeps = true;
        return RETURN;
      case "BreakStatement":
      case "ContinueStatement":
        return JUMP;
      case "IfStatement":
        return this.#branch(node.test, node.consequent, node.alternate);
      case "SwitchStatement":
        return this.#switch(node);
      case "LabeledStatement":
        return this.walk(node.body);
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
      case "WhileStatement":
      case "DoWhileStatement": {
        for (const each of [node.init, node.test, node.right]) this.#note(each);
        const ends = this.walk(node.body);
        return (ends & ~JUMP) | NEXT;
      }
      case "TryStatement": {
        let ends = this.walk(node.block);
        if (node.handler && ends & THROW) ends = (ends & ~THROW) | this.walk(node.handler.body);
        if (!node.finalizer) return ends;
        const last = this.walk(node.finalizer);
        return last & NEXT ? (ends | last & ~NEXT) : last;
      }
      case "ExpressionStatement":
        this.#note(node.expression);
        return this.#passesOn(unwrap(node.expression)) ? THROW : NEXT;
      case "VariableDeclaration":
        for (const each of node.declarations) this.#note(each.init);
        return NEXT;
    }
    return NEXT;
  }

  #sequence(statements: readonly Node[]): number {
    let ends = NEXT;
    for (const each of statements) {
      ends = (ends & ~NEXT) | this.walk(each);
      if (!(ends & NEXT)) break;
    }
    return ends;
  }

  #branch(test: Node, yes: Node, no: Node | null | undefined): number {
    this.#note(test);
    const holds = this.#holds(test);
    if (holds === true) return this.walk(yes);
    if (holds === false) return this.walk(no);
    const before = this.waits.length;
    const ends = this.walk(yes) | this.walk(no);
    if (holds === "free" || !(ends & THROW)) return ends;
    this.waits.length = before;
    return THROW;
  }

  #switch(node: Node): number {
    const before = this.waits.length;
    let ends = node.cases.some((each: Node) => each.test === null) ? 0 : NEXT;
    for (const each of node.cases) ends |= this.#sequence(each.consequent);
    if (ends & JUMP) ends = (ends & ~JUMP) | NEXT;
    const dependent = this.#mentions(node.discriminant) ||
      node.cases.some((each: Node) => this.#mentions(each.test));
    if (!dependent || !(ends & THROW)) return ends;
    this.waits.length = before;
    return THROW;
  }

  /**
   * Whether a condition holds for a `Cancelled`; "error" where that depends on it in an unknown
   * way, "free" where it does not.
   */
  #holds(test: Node): boolean | "error" | "free" {
    test = unwrap(test);
    if (test.type === "UnaryExpression" && test.operator === "!") {
      const holds = this.#holds(test.argument);
      return typeof holds === "boolean" ? !holds : holds;
    }
    if (test.type === "LogicalExpression" && test.operator !== "??") {
      const [left, right] = [this.#holds(test.left), this.#holds(test.right)];
      const decisive = test.operator === "||";
      if (left === decisive || right === decisive) return decisive;
      if (left === !decisive) return right;
      if (right === !decisive) return left;
      return left === "error" || right === "error" ? "error" : "free";
    }
    if (test.type === "Literal") return Boolean(test.value);
    if (test.type === "BinaryExpression") {
      const holds = this.#compares(test);
      if (holds !== undefined) return holds;
    }
    return this.#mentions(test) || this.#tellsApart(test) ? "error" : "free";
  }

  #compares({ operator, left, right }: Node): boolean | undefined {
    left = unwrap(left);
    if (operator === "instanceof") {
      return this.#isError(left) ? this.#values.holdsCancelled(right) : undefined;
    }
    const equal = operator === "===" || operator === "==";
    if (!equal && operator !== "!==" && operator !== "!=") return undefined;
    right = unwrap(right);
    if (right.type !== "Literal" || left.type !== "MemberExpression") return undefined;
    if (!this.#isError(unwrap(left.object))) return undefined;
    const name = memberName(left);
    if (name === "code") return !equal;
    return name === "name" ? (right.value === "Cancelled") === equal : undefined;
  }

  #isError(node: Node): boolean {
    const [param] = namesOf(this.#handler.param);
    return node.type === "Identifier" && node.name === param?.name;
  }

  #mentions(node: Node | null | undefined): boolean {
    if (!node || this.#names.size === 0) return false;
    return this.#values.nodes.ofType("Identifier").some((id) =>
      this.#names.has(id.name) && contains(node, id)
    );
  }

  #tellsApart(node: Node): boolean {
    return this.#values.nodes.ofType("Identifier").some((id) =>
      TELLS_APART.test(id.name) && contains(node, id)
    );
  }

  /**
   * Whether a statement gives the error to a function that throws or reports it; notes where it
   * only keeps it.
   */
  #passesOn(node: Node): boolean {
    if (node.type === "AssignmentExpression") {
      if (this.#mentions(node.right)) this.keeps = true;
      return false;
    }
    if (
      node.type !== "CallExpression" || !node.arguments.some((each: Node) => this.#mentions(each))
    ) return false;
    const callee = unwrap(node.callee);
    const name = callee.type === "Identifier" ? callee.name as string : memberName(callee) ?? "";
    if (callee.type === "MemberExpression" && PUTS.test(name)) this.keeps = true;
    return PASSES_ON.test(name);
  }

  #note(node: Node | null | undefined): void {
    for (const each of this.#values.nodes.within(node, "YieldExpression")) {
      if (each.delegate) this.waits.push(each);
    }
  }
}
