/**
 * The rule `no-floating-operation`: an operation or coroutine that is made and never carried out.
 *
 * Invariant: reported is only what certainly nobody gets: a statement of its own, a variable that
 * is never read, the result of a callback that its caller drops, a condition. What is stored,
 * passed on or returned to a caller may well be used.
 */
import { functionAround, isGenerator, memberName, type Node, unwrap, wrapped } from "../ast.ts";
import { type Finding, nameOfCall, type Rule } from "../rule.ts";
import type { Values } from "../values.ts";

const CALLS_LATER = new Set([
  "addEventListener",
  "queueMicrotask",
  "requestAnimationFrame",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

/** The name of the function that calls this callback and drops what it returns. */
export function dropper(callback: Node, file: Values): string | undefined {
  const outer = wrapped(callback);
  const call = outer.parent;
  if (call.type !== "CallExpression" || !call.arguments.includes(outer)) return undefined;
  if (file.signature(call) !== undefined) return undefined;
  const callee = unwrap(call.callee);
  if (callee.type === "Identifier") {
    const isGlobal = file.scopes.find(callee.name, callee) === undefined;
    return isGlobal && CALLS_LATER.has(callee.name) ? callee.name : undefined;
  }
  const name = memberName(callee);
  if (name === "addEventListener") return name;
  // Statement or not: in a statement it is wrong for an array, which drops the results, and for a
  // receiver, which wants yield*.
  if (name === "forEach" && wrapped(call).parent.type === "ExpressionStatement") return name;
}

type Loss = "discarded" | "awaited" | "tested" | "returned" | "unused" | { dropper: string };

/** How what an expression gives is lost; undefined where somebody may get it. */
function lossOf(node: Node, file: Values): Loss | undefined {
  const outer = wrapped(node);
  const { parent } = outer;
  switch (parent.type) {
    case "ExpressionStatement":
      return "discarded";
    case "SequenceExpression":
      return parent.expressions.at(-1) === outer ? lossOf(parent, file) : "discarded";
    case "ConditionalExpression":
      return parent.test === outer ? "tested" : lossOf(parent, file);
    case "LogicalExpression":
      // `x || y` and `x ?? y` give x, where it is an operation.
      if (parent.right === outer || parent.operator !== "&&") return lossOf(parent, file);
      return "tested";
    case "UnaryExpression":
      if (parent.operator === "!") return "tested";
      return parent.operator === "void" ? "discarded" : undefined;
    case "AwaitExpression":
      return "awaited";
    case "ForStatement":
      return parent.test === outer ? "tested" : "discarded";
    case "IfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      return "tested";
    case "ArrowFunctionExpression": {
      const by = parent.body === outer ? dropper(parent, file) : undefined;
      return by === undefined ? undefined : { dropper: by };
    }
    case "ReturnStatement": {
      const fn = functionAround(parent);
      if (isGenerator(fn)) {
        return file.isCoroutine(fn) && !file.givesOperation(fn) ? "returned" : undefined;
      }
      const by = fn.async ? undefined : dropper(fn, file);
      return by === undefined ? undefined : { dropper: by };
    }
    case "VariableDeclarator":
      return parent.init === outer && isUnread(parent.id, file) ? "unused" : undefined;
    case "AssignmentExpression":
      if (parent.right !== outer || parent.operator !== "=" || !isUnread(parent.left, file)) return;
      return lossOf(parent, file) === "discarded" ? "unused" : undefined;
  }
}

function isUnread(target: Node, file: Values): boolean {
  if (target.type !== "Identifier") return false;
  const variable = file.scopes.find(target.name, target);
  return variable !== undefined && !variable.exported && variable.reads.length === 0;
}

function explain(loss: Loss, name: string, isCoroutine: boolean): string {
  const does = isCoroutine
    ? `${name} only makes a coroutine, and nothing runs it`
    : `${name} only makes an operation, and nothing carries it out`;
  if (typeof loss === "object") {
    return loss.dropper === "forEach"
      ? `${does}: forEach() drops what its callback returns. Write for (...) yield* ${name}, or yield* all(items.map(...))`
      : `${does}: ${loss.dropper}() drops what its callback returns. Start it there, as in nursery.startSoon(${name})`;
  }
  switch (loss) {
    case "awaited":
      return `${does}: await does not wait for it. Write yield* ${name} in a function*, or await loop.run(${name})`;
    case "tested":
      return `${does}: as a condition it is always true. Write yield* ${name}`;
    case "returned":
      return `${does}: the coroutine returns before it. Write return yield* ${name}`;
    case "unused":
      return `${does}: the variable is never read. Write yield* ${name}, or start it, as in nursery.startSoon(${name})`;
    case "discarded":
      return `${does}. Write yield* ${name}, or start it, as in nursery.startSoon(${name})`;
  }
}

/**
 * Functions that are called by another that drops what they make: `list.forEach(save)`,
 * `setTimeout(function* () {})`.
 */
function* droppedCallbacks(file: Values): Iterable<Finding> {
  const callbacks = [
    ...file.nodes.ofType("FunctionExpression"),
    ...file.nodes.ofType("Identifier"),
  ];
  for (const node of callbacks) {
    const value = file.of(node);
    if (value?.kind !== "function" || !isGenerator(value.node)) continue;
    const by = dropper(node, file);
    if (by === undefined) continue;
    const instead = by === "forEach"
      ? "Write a for loop with yield*, or yield* all(items.map(...))"
      : "Call an ordinary function there that starts it, as in nursery.startSoon(...)";
    yield {
      node,
      message:
        `${by}() calls this function*, which only makes a coroutine that nothing runs. ${instead}`,
    };
  }
}

/** Functions that act when they are called; what they give only waits for it. */
const ACT_AT_ONCE = new Set(["exit"]);

/** An operation or coroutine that is made and never carried out. */
export const noFloatingOperation: Rule = {
  description: "Disallow operations and coroutines that are made and never carried out",
  *check(file, text) {
    for (const call of file.nodes.ofType("CallExpression")) {
      const value = file.of(call);
      if (value?.kind !== "operation" || ACT_AT_ONCE.has(file.callee(call) ?? "")) continue;
      const loss = lossOf(call, file);
      if (loss === undefined) continue;
      // An iterator of numbers may be tested or awaited by whoever likes; that it is lost is
      // certain.
      const certain = typeof loss === "object" || loss === "discarded" || loss === "unused";
      if (!certain && file.operation(call) === undefined) continue;
      yield {
        node: call,
        message: explain(loss, nameOfCall(call, text), value.fn !== undefined),
      };
    }
    yield* droppedCallbacks(file);
  },
};
