/**
 * The rule `yield-star`: `yield` where `yield*` is meant.
 *
 * Invariant: a `function*` that is walked as a list (`for...of`, spread, `all(jobs())`) may yield
 * operations: it hands them out.
 */
import { functionAround, isGenerator, type Node, unwrap, wrapped } from "../ast.ts";
import { elementOf } from "../knowledge.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Values } from "../values.ts";

/** Whether the coroutines that a function makes are walked as lists somewhere in the file. */
function isWalked(fn: Node, file: Values): boolean {
  const calls = fn.type === "FunctionExpression" && wrapped(fn).parent.type === "CallExpression"
    ? [wrapped(fn).parent]
    : file.variableOf(fn)?.reads.map((read) => wrapped(read).parent) ?? [];
  return calls.some((call) => {
    if (call.type !== "CallExpression") return false;
    const outer = wrapped(call);
    const { parent } = outer;
    if (parent.type === "SpreadElement") return true;
    if (parent.type === "ForOfStatement") return parent.right === outer;
    if (parent.type === "NewExpression") return true; // new Set(jobs())
    if (parent.type !== "CallExpression") return false;
    const wanted = file.argumentOf(call);
    return !wanted?.kind || elementOf(wanted) !== undefined;
  });
}

const PROMISES = /^(?:fetch|Promise)$/;

function isPromise(node: Node, file: Values): boolean {
  if (file.of(node)?.kind === "promise") return true;
  if (node.type !== "CallExpression" && node.type !== "NewExpression") return false;
  const callee = unwrap(node.callee);
  const object = callee.type === "MemberExpression" ? unwrap(callee.object) : callee;
  return object.type === "Identifier" && PROMISES.test(object.name) &&
    file.scopes.find(object.name, object) === undefined;
}

function finding(node: Node, file: Values): Finding | undefined {
  const fn = functionAround(node);
  if (!isGenerator(fn)) return undefined;
  const isCoroutine = file.isCoroutine(fn);
  if (!node.argument) {
    if (!isCoroutine) return undefined;
    return {
      node,
      message:
        "A bare yield fails in a coroutine. Write yield* checkpoint() to let other tasks run",
    };
  }
  if (file.operation(node.argument)) {
    if (!isCoroutine && isWalked(fn, file)) return undefined;
    const after = node.range[0] + "yield".length;
    return {
      node,
      message: "yield does not wait for an operation, it fails. Write yield*",
      fix: { range: [after, after], text: "*" },
    };
  }
  if (!isCoroutine) return undefined;
  return {
    node,
    message: isPromise(unwrap(node.argument), file)
      ? "yield does not wait for a promise, it fails. Write yield* until(promise)"
      : "yield fails in a coroutine, which waits with yield* and an operation. Write yield*",
  };
}

/** `yield` where `yield*` is meant. */
export const yieldStar: Rule = {
  description: "Require yield* where a coroutine waits",
  fixable: true,
  *check(file) {
    for (const node of file.nodes.ofType("YieldExpression")) {
      const found = node.delegate ? undefined : finding(node, file);
      if (found) yield found;
    }
  },
};
