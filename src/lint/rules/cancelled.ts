/**
 * The rules `no-swallowed-cancelled` and `no-unshielded-cleanup`: what happens to a cancel, and to
 * an error in flight, in `catch` and `finally`.
 */
import { functionAround, isFunction, isGenerator, type Node } from "../ast.ts";
import { followCancelled } from "../flow.ts";
import type { Rule } from "../rule.ts";
import type { Values } from "../values.ts";
import { isShielded, isUnshielded } from "../waits.ts";

/** The `try` statements of coroutines, without those that are shielded as a whole. */
function* tries(file: Values): Iterable<Node> {
  for (const node of file.nodes.ofType("TryStatement")) {
    const fn = functionAround(node);
    if (isGenerator(fn) && file.isCoroutine(fn) && !isShielded(fn, file)) yield node;
  }
}

/** The waits in a stretch of code that a cancel may land in. */
function unshielded(stretch: Node | null | undefined, file: Values): Node[] {
  return file.nodes.within(stretch, "YieldExpression")
    .filter((each) => each.delegate && isUnshielded(each, file));
}

function isInLoop(node: Node): boolean {
  for (let at = node.parent; at && !isFunction(at); at = at.parent) {
    if (/^(?:For|While|DoWhile)/.test(at.type)) return true;
  }
  return false;
}

/** A `catch` that ends a cancel. */
export const noSwallowedCancelled: Rule = {
  description: "Disallow a catch that keeps Cancelled from the scope that was cancelled",
  *check(file) {
    for (const node of tries(file)) {
      const { block, handler } = node;
      if (!handler || unshielded(block, file).length === 0) continue;
      const { swallows, keeps, goesOn } = followCancelled(handler, file);
      // What is kept may be looked at afterwards; a loop that tries again does not.
      if (!swallows || (keeps && !(goesOn && isInLoop(node)))) continue;
      const name = handler.param?.type === "Identifier" ? handler.param.name : "error";
      yield {
        node: handler,
        message:
          `This catch swallows Cancelled: the coroutine goes on after it was cancelled. Begin it with if (${name} instanceof Cancelled) throw ${name}`,
      };
    }
  },
};

/** A wait in cleanup that the cancel which caused the cleanup ends at once. */
export const noUnshieldedCleanup: Rule = {
  description:
    "Require a shield around waits in finally, and in a catch before Cancelled is rethrown",
  *check(file) {
    const reported = new Set<Node>();
    for (const { block, handler, finalizer } of tries(file)) {
      for (const node of unshielded(finalizer, file)) {
        if (reported.has(node)) continue;
        reported.add(node);
        yield {
          node,
          message:
            "A cancel ends this wait in finally at once, and an error in flight is lost. Write yield* shield(...) around it, with a timeout",
        };
      }
      if (!handler) continue;
      // Where the error cannot be Cancelled, one that is thrown on after the wait can still be lost
      // in it.
      const { waits, swallows } = followCancelled(handler, file);
      if (swallows && unshielded(block, file).length === 0) continue;
      const name = handler.param?.type === "Identifier" ? handler.param.name : "error";
      for (const node of waits) {
        if (reported.has(node) || !isUnshielded(node, file)) continue;
        reported.add(node);
        yield {
          node,
          message:
            `A cancel ends this wait at once, and the error that was caught is lost. Write if (${name} instanceof Cancelled) throw ${name} before it, or yield* shield(...) around it`,
        };
      }
    }
  },
};
