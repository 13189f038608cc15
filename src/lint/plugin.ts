/**
 * The plugin, in the shape that Deno, ESLint and Oxlint share.
 *
 * Invariant: a file that does not load this package is not looked at. What is found out about a
 * file is found once for all rules.
 * Independent of: which of the three tools runs it.
 */
import type { Node } from "./ast.ts";
import type { Rule } from "./rule.ts";
import { noBlockingCall, noBusyWait, noSleepZero } from "./rules/blocking.ts";
import { noAsyncBody, noUncalledCoroutine } from "./rules/bodies.ts";
import { noAwaitInCoroutineCallback } from "./rules/callback.ts";
import { noSwallowedCancelled, noUnshieldedCleanup } from "./rules/cancelled.ts";
import { noFloatingOperation } from "./rules/floating.ts";
import { yieldStar } from "./rules/yield_star.ts";
import { Values } from "./values.ts";

const RULES: Readonly<Record<string, Rule>> = {
  "no-async-body": noAsyncBody,
  "no-await-in-coroutine-callback": noAwaitInCoroutineCallback,
  "no-blocking-call": noBlockingCall,
  "no-busy-wait": noBusyWait,
  "no-floating-operation": noFloatingOperation,
  "no-sleep-zero": noSleepZero,
  "no-swallowed-cancelled": noSwallowedCancelled,
  "no-uncalled-coroutine": noUncalledCoroutine,
  "no-unshielded-cleanup": noUnshieldedCleanup,
  "yield-star": yieldStar,
};

/**
 * A rule, as the tools want it.
 *
 * @example
 * ```ts
 * import broomio, { type LintRule } from "jsr:@broomio/core/lint";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const rule: LintRule = broomio.rules["yield-star"];
 * assertEquals([rule.meta.type, rule.meta.fixable], ["problem", "code"]);
 * ```
 */
export interface LintRule {
  /** For ESLint and Oxlint. */
  readonly meta: {
    readonly type: "problem";
    readonly docs: { readonly description: string; readonly recommended: true };
    readonly fixable?: "code";
    readonly schema: readonly [];
  };
  /** Called by the tool for each file; gives what to call for which node. */
  // deno-lint-ignore no-explicit-any -- three tools, each with types of its own
  create(context: any): Record<string, (node: any) => void>;
}

/**
 * The plugin: for Deno its `name` and `rules`, for ESLint and Oxlint `meta`, `rules` and `configs`.
 *
 * @example
 * ```ts
 * import broomio, { type LintPlugin } from "jsr:@broomio/core/lint";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function namesOf({ name, rules }: LintPlugin): string[] {
 *   return Object.keys(rules).map((rule) => `${name}/${rule}`);
 * }
 * assertEquals(namesOf(broomio).includes("broomio/yield-star"), true);
 * ```
 */
export interface LintPlugin {
  /** What stands before the slash in the names of rules. */
  readonly name: string;
  /** The name again, where ESLint and Oxlint look for it. */
  readonly meta: { readonly name: string };
  /** The rules, by their names without the plugin's. */
  readonly rules: Record<string, LintRule>;
  /** Configurations for ESLint; the `rules` of one are Oxlint's too. */
  readonly configs: { readonly recommended: LintConfig };
}

/**
 * A flat configuration of ESLint.
 *
 * @example
 * ```ts
 * import broomio, { type LintConfig } from "jsr:@broomio/core/lint";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // eslint.config.js: export default [broomio.configs.recommended];
 * const config: LintConfig = broomio.configs.recommended;
 * assertEquals(config.rules["broomio/yield-star"], "error");
 * ```
 */
export interface LintConfig {
  /** For messages. */
  readonly name: string;
  /** The plugin, by its name. */
  readonly plugins: Record<string, LintPlugin>;
  /** Which rules are on. */
  readonly rules: Record<string, "error">;
}

/**
 * Makes the plugin.
 *
 * @param isOurs Whether a module specifier, as the file of this name writes it, means the package.
 */
export function makePlugin(
  name: string,
  isOurs: (specifier: string, filename: string) => boolean,
): LintPlugin {
  const files = new WeakMap<Node, Values>();
  const fileOf = (program: Node, filename: string): Values => {
    let file = files.get(program);
    if (file === undefined) {
      file = new Values(program, (specifier) => isOurs(specifier, filename));
      files.set(program, file);
    }
    return file;
  };
  const rules = Object.fromEntries(
    Object.entries(RULES).map(([id, rule]) => [id, toLintRule(rule, fileOf)]),
  );
  const recommended = {
    name: `${name}/recommended`,
    plugins: {} as Record<string, LintPlugin>,
    rules: Object.fromEntries(Object.keys(RULES).map((id) => [`${name}/${id}`, "error" as const])),
  };
  const plugin: LintPlugin = { name, meta: { name }, rules, configs: { recommended } };
  recommended.plugins[name] = plugin;
  return plugin;
}

/** What is used of a tool's `fixer`. */
interface Fixer {
  replaceTextRange(range: [number, number], text: string): unknown;
}

function toLintRule(
  rule: Rule,
  fileOf: (program: Node, filename: string) => Values,
): LintRule {
  return {
    meta: {
      type: "problem",
      docs: { description: rule.description, recommended: true },
      ...(rule.fixable ? { fixable: "code" as const } : {}),
      schema: [],
    },
    create(context) {
      const text = (node: Node): string => context.sourceCode.getText(node);
      return {
        Program(program) {
          const file = fileOf(program, context.filename);
          if (!file.concerned) return;
          for (const { node, message, fix } of rule.check(file, text)) {
            context.report({
              node,
              message,
              ...(fix
                ? { fix: (fixer: Fixer) => fixer.replaceTextRange([...fix.range], fix.text) }
                : {}),
            });
          }
        },
      };
    },
  };
}
