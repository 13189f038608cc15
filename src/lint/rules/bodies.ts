/**
 * The rules `no-uncalled-coroutine` and `no-async-body`: what is given where this package wants a
 * coroutine, or a function that makes one.
 */
import { functionAround, isGenerator, type Node, unwrap } from "../ast.ts";
import { type Argument, elementOf } from "../knowledge.ts";
import { type Finding, nameOfCall, type Rule } from "../rule.ts";
import type { Values } from "../values.ts";

/**
 * Every argument of this package's functions that must be a coroutine or a body, with what is
 * wanted there.
 */
function* wantedArguments(file: Values): Iterable<{ node: Node; call: Node; wanted: Argument }> {
  for (const call of file.nodes.ofType("CallExpression")) {
    for (const [i, wanted] of file.signature(call)?.wants.entries() ?? []) {
      const given = call.arguments[i];
      if (!given || given.type === "SpreadElement" || wanted.kind === "") continue;
      const wantedOfEach = elementOf(wanted);
      if (wantedOfEach === undefined) {
        yield { node: unwrap(given), call, wanted };
        continue;
      }
      const list = unwrap(given);
      const elements: (Node | null)[] = list.type === "ArrayExpression"
        ? list.elements
        : list.type === "ObjectExpression"
        ? list.properties.map((each: Node) => each.type === "Property" ? each.value : null)
        : [];
      for (const each of elements) {
        if (each === null || each.type === "SpreadElement") continue;
        yield { node: unwrap(each), call, wanted: wantedOfEach };
      }
    }
  }
}

/** The call that is missing, where the function wants nothing. */
function callFix(node: Node, fn: Node): Finding["fix"] {
  if (node.type !== "Identifier" || fn.params.length > 0) return undefined;
  return { range: [node.range[1], node.range[1]], text: "()" };
}

/**
 * A `function*` where its call is meant, a call where the function is meant, and one that is never
 * called.
 */
export const noUncalledCoroutine: Rule = {
  description: "Disallow a function* where its call is meant, and the reverse",
  fixable: true,
  *check(file, text) {
    for (const { node, call, wanted } of wantedArguments(file)) {
      const value = file.of(node);
      const by = nameOfCall(call, text);
      if (wanted.kind === "operation" && value?.kind === "function" && isGenerator(value.node)) {
        yield {
          node,
          message: node.type === "Identifier"
            ? `${by} wants a coroutine, and this is the function* that makes it. Call it: ${node.name}(...)`
            : `${by} wants a coroutine, and this is a function* that makes one. Call it: (function* () { ... })()`,
          fix: callFix(node, value.node),
        };
      }
      if (wanted.kind === "function" && value?.kind === "operation" && file.operation(node)) {
        yield {
          node,
          message:
            `${by} wants a function*, which it calls itself, and this is what a call gives. Give the function`,
        };
      }
    }
    for (
      const node of [
        ...file.nodes.ofType("YieldExpression"),
        ...file.nodes.ofType("ExpressionStatement"),
      ]
    ) {
      if (node.type === "YieldExpression" && !node.delegate) continue;
      const given: Node = unwrap(node.argument ?? node.expression);
      const value = file.of(given);
      if (given.type !== "Identifier" || value?.kind !== "function") continue;
      if (!isGenerator(value.node)) continue;
      const star = node.type === "YieldExpression" ? "yield* " : "";
      yield {
        node: given,
        message: `${given.name} is a function*, and nothing calls it here. Write ${
          star || "yield* "
        }${given.name}(...)`,
        fix: star ? callFix(given, value.node) : undefined,
      };
    }
    for (const fn of file.nodes.ofType("FunctionDeclaration")) {
      const variable = fn.id && file.variableOf(fn);
      if (!variable || variable.exported || variable.reads.length > 0) continue;
      if (fn.parent.type === "ExportDefaultDeclaration" || !file.isCoroutine(fn)) continue;
      yield {
        node: fn.id,
        message:
          `The coroutine ${fn.id.name} is never called. Run it, as in await loop.run(${fn.id.name}()), or take it out`,
      };
    }
  },
};

/** An async function or a promise where a coroutine is wanted. */
export const noAsyncBody: Rule = {
  description: "Disallow async functions and promises where a coroutine is wanted",
  *check(file, text) {
    for (const { node, call, wanted } of wantedArguments(file)) {
      const value = file.of(node);
      const by = nameOfCall(call, text);
      if (value?.kind === "function" && value.node.async) {
        yield {
          node,
          message:
            `${by} wants a function*, and this function is async. Write function* () { ... }, with yield* until(promise) for await`,
        };
      } else if (value?.kind === "promise" && wanted.kind !== "function") {
        yield {
          node,
          message:
            `${by} wants a coroutine, and this is a promise. Write until(promise), or make the async function a function*`,
        };
      }
    }
    const reported = new Set<Node>();
    for (const node of file.nodes.ofType("YieldExpression")) {
      const fn = functionAround(node);
      if (!node.delegate || !fn.async || reported.has(fn) || !file.operation(node.argument)) {
        continue;
      }
      reported.add(fn);
      yield {
        node,
        message:
          "An async function* is no coroutine: no loop can run it. Write function*, with yield* until(promise) for await",
      };
    }
  },
};
