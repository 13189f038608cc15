/**
 * The rule `no-await-in-coroutine-callback`: an async callback inside a coroutine whose promise
 * nobody waits for.
 *
 * Invariant: a promise that goes somewhere (`until(Promise.all(items.map(async ...)))`) is not
 * reported.
 */
import { functionAround, memberName, type Node, unwrap, wrapped } from "../ast.ts";
import type { Rule } from "../rule.ts";
import type { Values } from "../values.ts";
import { dropper } from "./floating.ts";

/**
 * Methods of arrays that take what the callback returns for an answer: a promise is always true.
 */
const ANSWERS = new Set([
  ...["every", "filter", "find", "findIndex", "findLast", "findLastIndex", "some"],
  ...["sort", "toSorted"],
]);

/** Why nobody waits for the promise of an async function; undefined where somebody may. */
function reason(fn: Node, file: Values): string | undefined {
  const outer = wrapped(fn);
  const { parent } = outer;
  if (parent.type !== "CallExpression") return undefined;
  if (parent.callee === outer) return isDiscarded(parent) ? "nobody waits for it" : undefined;
  if (file.callee(parent) === "suspend") return "suspend() takes its promise for the undo";
  const by = dropper(fn, file);
  if (by !== undefined) return `${by}() drops its promise`;
  if (file.signature(parent) !== undefined) return undefined;
  const name = memberName(unwrap(parent.callee)) ?? "";
  if (ANSWERS.has(name)) return `${name}() takes its promise for an answer`;
  if (name !== "map" && name !== "flatMap") return undefined;
  if (isDiscarded(parent)) return `the promises that ${name}() gives are dropped`;
  return /^(?:operations|bodies)$/.test(file.argumentOf(parent)?.kind ?? "")
    ? "a promise is no operation"
    : undefined;
}

function isDiscarded(call: Node): boolean {
  const { parent } = wrapped(call);
  return parent.type === "ExpressionStatement" ||
    (parent.type === "UnaryExpression" && parent.operator === "void");
}

/** `await` in a callback inside a coroutine, where nobody waits for the callback. */
export const noAwaitInCoroutineCallback: Rule = {
  description: "Disallow await in a callback of a coroutine where nobody waits for the callback",
  *check(file) {
    for (const type of ["ArrowFunctionExpression", "FunctionExpression"]) {
      for (const fn of file.nodes.ofType(type)) {
        if (!fn.async || fn.generator || !file.isCoroutine(functionAround(fn))) continue;
        const [wait] = file.nodes.within(fn.body, "AwaitExpression");
        if (wait === undefined) continue;
        const why = reason(fn, file);
        if (why === undefined) continue;
        yield {
          node: wait,
          message:
            `This await is outside of the coroutine: ${why}, and no cancel reaches it. Write yield* all(items.map(function* (item) { ... })), nursery.startSoon(...), or yield* until(Promise.all(...))`,
        };
      }
    }
  },
};
