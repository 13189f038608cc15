/**
 * The rules `no-busy-wait`, `no-blocking-call` and `no-sleep-zero`: what keeps the thread from
 * others while a coroutine waits.
 */
import { functionAround, memberName, type Node, unwrap } from "../ast.ts";
import { type Finding, nameOfCall, type Rule } from "../rule.ts";
import type { Values } from "../values.ts";

function isInCoroutine(node: Node, file: Values): boolean {
  return file.isCoroutine(functionAround(node));
}

/** The statements of a loop's body. */
function statementsOf(loop: Node): Node[] {
  const { body } = loop;
  if (!body || body.type === "EmptyStatement") return [];
  return body.type === "BlockStatement"
    ? body.body.filter((each: Node) => each.type !== "EmptyStatement")
    : [body];
}

/** What a statement that only lets time pass waits with: "checkpoint" or "sleep". */
function pauseOf(statement: Node, file: Values): "checkpoint" | "sleep" | undefined {
  const node = statement.type === "ExpressionStatement" ? unwrap(statement.expression) : undefined;
  if (node?.type !== "YieldExpression" || !node.delegate) return undefined;
  const key = file.callee(node.argument);
  if (key === "checkpoint" || isSleepZero(node.argument, file)) return "checkpoint";
  return key === "sleep" ? "sleep" : undefined;
}

function has(file: Values, stretch: Node, ...types: string[]): boolean {
  return types.some((type) => file.nodes.within(stretch, type).length > 0);
}

const CLOCKS = /^(?:Date|performance)\.now$/;

function busyWait(loop: Node, file: Values, text: (node: Node) => string): string | undefined {
  const { test } = loop;
  if (!test || unwrap(test).type === "Literal" || loop.update) return undefined;
  if (has(file, test, "UpdateExpression", "AssignmentExpression", "YieldExpression")) {
    return undefined;
  }
  const calls = file.nodes.within(test, "CallExpression");
  const statements = statementsOf(loop);
  if (statements.length === 0) {
    if (!calls.every((each) => CLOCKS.test(text(each.callee)))) return undefined;
    return "This loop keeps every other task, and whatever it waits for, from running. Write yield* event.wait(), or yield* sleep(seconds)";
  }
  const pauses = statements.map((each) => pauseOf(each, file));
  if (pauses.includes(undefined)) return undefined;
  const instead =
    "Wait for what changes it, as in yield* event.wait(), condition.wait() or receiver.receive()";
  if (pauses.every((each) => each === "checkpoint")) {
    return `This loop asks again and again and uses the processor all the time. ${instead}`;
  }
  // A call may ask the outside, which tells nobody when it changes.
  return calls.length === 0
    ? `This loop asks again and again until something changes. ${instead}`
    : undefined;
}

/** A loop that asks again and again for what could be waited for. */
export const noBusyWait: Rule = {
  description: "Disallow loops that wait by asking again and again",
  *check(file, text) {
    for (const type of ["WhileStatement", "DoWhileStatement", "ForStatement"]) {
      for (const node of file.nodes.ofType(type)) {
        const message = isInCoroutine(node, file) ? busyWait(node, file, text) : undefined;
        if (message) yield { node, message };
      }
    }
  },
};

const BLOCKING_MODULES = /^(?:node:)?(?:fs|child_process)$/;
const DIALOGS = new Set(["alert", "confirm", "prompt"]);

/** What to write instead of a call that blocks; undefined for one that does not. */
function insteadOf(call: Node, file: Values): string | undefined {
  const callee = unwrap(call.callee);
  if (callee.type === "Identifier") {
    const variable = file.scopes.find(callee.name, callee);
    if (variable === undefined) {
      return DIALOGS.has(callee.name)
        ? "Ask in another way, and wait with yield* until(promise)"
        : undefined;
    }
    const { definition } = variable;
    const name = definition.type === "ImportSpecifier" && definition.imported.name;
    return name && name.endsWith("Sync") && BLOCKING_MODULES.test(definition.parent.source.value)
      ? asynchronous(name)
      : undefined;
  }
  const name = memberName(callee);
  if (name === undefined) return undefined;
  const object = unwrap(callee.object);
  if (name === "outputSync" && object.type === "NewExpression") {
    const made = unwrap(object.callee);
    return made.type === "MemberExpression" && isGlobal(unwrap(made.object), "Deno", file)
      ? "Write yield* until(new Deno.Command(...).output())"
      : undefined;
  }
  if (object.type !== "Identifier") return undefined;
  if (isGlobal(object, "Atomics", file)) {
    return name === "wait" ? "Write yield* until(Atomics.waitAsync(...).value)" : undefined;
  }
  if (!name.endsWith("Sync")) return undefined;
  if (isGlobal(object, "Deno", file)) return `Write yield* until(Deno.${name.slice(0, -4)}(...))`;
  const definition = file.scopes.find(object.name, object)?.definition;
  const whole = definition?.type === "ImportNamespaceSpecifier" ||
    definition?.type === "ImportDefaultSpecifier";
  return whole && BLOCKING_MODULES.test(definition.parent.source.value)
    ? asynchronous(name)
    : undefined;
}

function asynchronous(name: string): string {
  return `Write yield* until(...) with the asynchronous ${name.slice(0, -4)}()`;
}

function isGlobal(node: Node, name: string, file: Values): boolean {
  return node.type === "Identifier" && node.name === name &&
    file.scopes.find(name, node) === undefined;
}

/** A call in a coroutine that stops the whole thread. */
export const noBlockingCall: Rule = {
  description: "Disallow calls in a coroutine that stop the thread",
  *check(file, text) {
    for (const node of file.nodes.ofType("CallExpression")) {
      const instead = insteadOf(node, file);
      if (instead === undefined || !isInCoroutine(node, file)) continue;
      yield {
        node,
        message: `${nameOfCall(node, text)} stops every task until it is done. ${instead}`,
      };
    }
  },
};

function isSleepZero(node: Node | null | undefined, file: Values): boolean {
  if (!node || file.callee(node) !== "sleep") return false;
  const [length] = unwrap(node).arguments;
  return length?.type === "Literal" && length.value === 0;
}

/** `checkpoint`, as this file may call it at a place where it calls `sleep`. */
function checkpointFix(call: Node, file: Values): Finding["fix"] {
  const callee = unwrap(call.callee);
  if (callee.type === "MemberExpression" && !callee.computed) {
    return { range: [callee.property.range[0], call.range[1]], text: "checkpoint()" };
  }
  for (const variable of file.scopes.variables()) {
    const imports = variable.definition.type === "ImportSpecifier" &&
      file.exportedKey(variable.id) === "checkpoint";
    if (imports && file.scopes.find(variable.name, call) === variable) {
      return { range: call.range, text: `${variable.name}()` };
    }
  }
}

/** `sleep(0)` where a checkpoint is meant. */
export const noSleepZero: Rule = {
  description: "Disallow sleep(0) where checkpoint() is meant",
  fixable: true,
  *check(file) {
    for (const node of file.nodes.ofType("YieldExpression")) {
      if (!node.delegate || !isSleepZero(node.argument, file)) continue;
      const call = unwrap(node.argument);
      yield {
        node: call,
        message: "sleep(0) only lets other tasks run. Write checkpoint(), which says so",
        fix: checkpointFix(call, file),
      };
    }
  },
};
