/**
 * Which `yield*` a cancel may land in, and what is shielded.
 *
 * Invariant: `shield`, seen where the wait is or where the function is given to it, is what counts
 * as a shield; so does a scope with `shield: true`. What another file does inside is not seen: it
 * waits.
 */
import { functionAround, keyName, memberName, type Node, unwrap, wrapped } from "./ast.ts";
import type { Values } from "./values.ts";

/** Operations in which no cancel lands, for they never wait. */
const NEVER_WAIT = new Set([
  "TaskLocal#get",
  "abortSignal",
  "currentLoop",
  "currentTask",
  "ensure",
  "shield",
]);

/** Whether a cancel from outside may land in a `yield*`. */
export function isUnshielded(node: Node, file: Values, seen: Set<Node> = new Set()): boolean {
  const call = unwrap(node.argument);
  const key = file.callee(call);
  if (key !== undefined) {
    if (NEVER_WAIT.has(key)) return false;
    if (key === "CancelScope.open" && hasShieldOption(call)) return false;
  }
  const value = file.of(call);
  if (value?.kind !== "operation" || value.fn === undefined || seen.has(value.fn)) return true;
  seen.add(value.fn);
  return file.yieldsOf(value.fn).some((each) => each.delegate && isUnshielded(each, file, seen));
}

function hasShieldOption(call: Node): boolean {
  const options = call.arguments[1];
  return options?.type === "ObjectExpression" &&
    options.properties.some((each: Node) =>
      each.type === "Property" && keyName(each.key, each.computed) === "shield" &&
      each.value.type === "Literal" && each.value.value === true
    );
}

/** Whether all that a function does is shielded, as far as this file calls it. */
export function isShielded(fn: Node, file: Values): boolean {
  const sets = file.nodes.within(fn.body, "AssignmentExpression").some((each) =>
    memberName(unwrap(each.left)) === "shield" && unwrap(each.right).value === true
  );
  if (sets || isGivenToShield(fn, file)) return true;
  const variable = file.variableOf(fn);
  if (!variable || variable.exported || variable.reads.length === 0) return false;
  return variable.reads.every((read) => {
    const { parent } = wrapped(read);
    const call = parent.type === "CallExpression" && parent.callee === wrapped(read)
      ? parent
      : read;
    return isGivenToShield(call, file) || isGivenToShield(functionAround(call), file);
  });
}

function isGivenToShield(node: Node, file: Values): boolean {
  const outer = wrapped(node);
  const call = outer.parent;
  if (call?.type !== "CallExpression" || !call.arguments.includes(outer)) return false;
  const key = file.callee(call);
  return key === "shield" || key === "ensure" ||
    (key === "CancelScope.open" && hasShieldOption(call));
}
