/**
 * The lint rule `repository/foreign-name`: which file may say which global name.
 *
 * Invariant: the core uses no name from outside the language. Web-standard globals stand in
 * `runtime/` and `interop/` only, names of one runtime in adapters only, so a bundle for a browser
 * has neither. Imports are checked by `check_layers.ts`. The rule knows no scopes: a local variable
 * called `process` is refused too.
 */

const RUNTIME_NAMES = ["Deno", "Bun", "process", "Buffer", "require", "__dirname", "__filename"];

const WEB_NAMES = [
  ...["globalThis", "window", "document", "navigator", "location", "console", "fetch", "crypto"],
  ...["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate"],
  ...["clearImmediate", "queueMicrotask", "requestAnimationFrame", "performance", "Date"],
  ...["AbortController", "AbortSignal", "DOMException", "EventTarget", "reportError"],
  ...["MessageChannel", "MessagePort", "BroadcastChannel", "Worker", "WebSocket"],
  ...["ReadableStream", "WritableStream", "TransformStream", "Blob", "Request", "Response"],
  ...["TextEncoder", "TextDecoder", "URL", "URLSearchParams", "structuredClone", "localStorage"],
];

/** An adapter: the file that knows one runtime. `check_layers.ts` keeps it a leaf. */
export const ADAPTER = /^src\/\w+\/((deno|node|bun)\/\w+|(deno|node|bun|worker)(_\w+)?)\.ts$/;

/** Files that may use more than the language's own names. A file that no line matches may not. */
const MAY_SAY: readonly { file: RegExp; names: readonly string[] }[] = [
  { file: ADAPTER, names: [...RUNTIME_NAMES, ...WEB_NAMES] },
  // The default host, and how built-in modules are obtained (R35).
  { file: /^src\/runtime\/\w+\.ts$/, names: [...WEB_NAMES, "process"] },
  { file: /^src\/interop\/\w+\.ts$/, names: WEB_NAMES },
  // Makes them part of a schedule.
  { file: /^src\/testing\/explore\/schedule_globals\.ts$/, names: WEB_NAMES },
  // Requests, responses and their bodies are web-standard types.
  { file: /^src\/http\/\w+\.ts$/, names: WEB_NAMES },
  // It decodes lines of text.
  { file: /^src\/net\/framing\.ts$/, names: ["TextDecoder"] },
  { file: /^src\/os\/run_process\.ts$/, names: ["TextDecoder", "TextEncoder"] },
  // These find out which adapter to load: `"Deno" in globalThis`.
  { file: /^src\/(net|http|os|pool)\/(\w+\/)?\w+\.ts$/, names: ["globalThis"] },
];

/** The names that `file`, a path from the top of the repository, must not use. */
export function foreignNames(file: string): ReadonlySet<string> {
  if (file !== "mod.ts" && !file.startsWith("src/")) return new Set();
  const allowed = MAY_SAY.find((entry) => entry.file.test(file))?.names ?? [];
  return new Set([...RUNTIME_NAMES, ...WEB_NAMES].filter((name) => !allowed.includes(name)));
}

/**
 * Whether this identifier only labels a member: `host.performance`, `{ process: 1 }`, `console():
 * void`.
 */
function isLabel(node: Deno.lint.Identifier): boolean {
  const parent = node.parent as { type: string; computed?: boolean; key?: unknown };
  if (parent.type === "MemberExpression") {
    return !parent.computed && (parent as Deno.lint.MemberExpression).property === node;
  }
  return parent.key === node && !parent.computed;
}

const top = new URL("../", import.meta.url).pathname;

const plugin: Deno.lint.Plugin = {
  name: "repository",
  rules: {
    "foreign-name": {
      create(context) {
        const names = foreignNames(context.filename.replace(top, ""));
        if (names.size === 0) return {};
        return {
          Identifier(node) {
            if (!names.has(node.name) || isLabel(node)) return;
            context.report({
              node,
              message: `\`${node.name}\` must not be used in this file`,
              hint:
                "Take it through the Host or an adapter; scripts/lint_plugin.ts says which file may use what",
            });
          },
        };
      },
    },
  },
};
export default plugin;
