/**
 * Lint rules for programs that use this package: one module that Deno's lint, ESLint 9 and later,
 * and Oxlint load as it is. The rules need no types. They look only at files that import
 * `@broomio/core` (from JSR, npm or a URL, or under the alias `broomio`), and report only what is
 * certain from the file itself.
 *
 * Deno, in `deno.json`; every rule is on, `lint.rules.exclude` turns one off:
 *
 * ```json
 * { "lint": { "plugins": ["jsr:@broomio/core/lint"] } }
 * ```
 *
 * ESLint, in `eslint.config.js`:
 *
 * ```js ignore
 * import broomio from "@broomio/core/lint";
 * export default [broomio.configs.recommended];
 * ```
 *
 * Oxlint, in `oxlint.config.ts`; in `.oxlintrc.json`, `jsPlugins` is the same and `rules` names
 * each rule that is wanted:
 *
 * ```ts ignore
 * import broomio from "@broomio/core/lint";
 * import { defineConfig } from "oxlint";
 * export default defineConfig({
 *   jsPlugins: ["@broomio/core/lint"],
 *   rules: broomio.configs.recommended.rules,
 * });
 * ```
 *
 * A finding that is meant is turned off where it stands, with the reason; in ESLint and Oxlint by
 * `eslint-disable-next-line` and `oxlint-disable-next-line`:
 *
 * ```ts ignore
 * // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
 * ```
 *
 * ## The rules
 *
 * ### no-floating-operation
 *
 * `sleep(1)` makes an operation and `save()` a coroutine. Nothing of either runs before a `yield*`,
 * a loop or a nursery takes it, and nothing else tells that it was forgotten. Reported are one as a
 * statement (also after `void` or `await`), in a variable that is never read, as a condition, as
 * `return sleep(1)` at the end of a coroutine, and as the result of a callback that its caller
 * drops: `items.forEach(save)`, `setTimeout(() => save(), 10)`. What is stored, passed on, or
 * returned by an ordinary function is not.
 *
 * ```ts ignore
 * sleep(1); // wrong
 * yield* sleep(1); // right
 * items.forEach(save); // wrong, where save is a function*
 * yield* all(items.map(save)); // right
 * ```
 *
 * ### yield-star
 *
 * `yield sleep(1)` fails when it runs: `yield*` waits. The fix adds the star. In what is certainly
 * a coroutine every `yield` without a star is reported. A `function*` whose operations are walked
 * as a list (`for...of`, spread, `all(jobs())`) may yield them.
 *
 * ```ts ignore
 * const bytes = yield stream.recv(); // wrong
 * const bytes = yield* stream.recv(); // right
 * ```
 *
 * ### no-swallowed-cancelled
 *
 * A `catch` around a wait also catches `Cancelled`, and the coroutine goes on after it was
 * cancelled. Where the error is returned, or kept in a variable or list, the rule is silent, except
 * in a loop that tries again. So it is where the author tells errors apart in a way that is not
 * understood: `if (isRetriable(error)) ... else throw error`.
 *
 * ```ts ignore
 * try { yield* fetchPage(); } catch (error) { log(error); } // wrong
 * try {
 *   yield* fetchPage();
 * } catch (error) {
 *   if (error instanceof Cancelled) throw error; // right
 *   log(error);
 * }
 * try {
 *   yield* fetchPage();
 * } catch (error) {
 *   if (!(error instanceof SocketError)) throw error; // right too
 * }
 * ```
 *
 * ### no-unshielded-cleanup
 *
 * In a task that was cancelled, a wait in `finally` is cancelled again at once; where an error is
 * in flight, a cancel that lands in that wait replaces it. The same in a `catch` that has not
 * thrown `Cancelled` on; a wait after that, such as a backoff, is right. A wait is shielded by
 * `shield` or `ensure`, in sight: what a function of another file does inside is not known, so it
 * is reported too, and a second shield does no harm.
 *
 * ```ts ignore
 * try { ... } finally { yield* stream.shutdown(); } // wrong
 * try { ... } finally { yield* shield(stream.shutdown(), { timeout: 1 }); } // right
 * ```
 *
 * ### no-uncalled-coroutine
 *
 * A `function*` where its coroutine is wanted (`startSoon(main)`), a coroutine where the function
 * is wanted (`receiver.forEach(handle())`), `yield* main`, and a coroutine function that nothing
 * calls. The fix adds `()` where the function has no parameters.
 *
 * ```ts ignore
 * loop.startSoon(main); // wrong
 * loop.startSoon(main()); // right
 * ```
 *
 * ### no-async-body
 *
 * An async function, or a promise, where a coroutine or a body is wanted; and `yield*` of an
 * operation in an `async function*`.
 *
 * ```ts ignore
 * yield* moveOnAfter(1, async () => { await load(); }); // wrong
 * yield* moveOnAfter(1, until(load())); // right
 * ```
 *
 * ### no-busy-wait
 *
 * A loop that only waits a little and asks again. With `checkpoint()` it uses the processor all the
 * time. With `sleep()` it is reported where the condition calls nothing: a call may ask the
 * outside, which tells nobody when it changes.
 *
 * ```ts ignore
 * while (!ready) yield* sleep(0.1); // wrong
 * yield* ready.wait(); // right, with const ready = new Event()
 * ```
 *
 * ### no-blocking-call
 *
 * In a coroutine: `Deno.*Sync`, `*Sync` of `node:fs` and `node:child_process`, `Atomics.wait`,
 * `prompt`, `alert`, `confirm`. They stop every task of the thread.
 *
 * ```ts ignore
 * const text = Deno.readTextFileSync(path); // wrong
 * const text = yield* until(Deno.readTextFile(path)); // right
 * ```
 *
 * ### no-sleep-zero
 *
 * `yield* sleep(0)` only lets other tasks run: `checkpoint()` says so. The fix writes that where
 * the file imports it.
 *
 * ### no-await-in-coroutine-callback
 *
 * `await` in an async callback inside a coroutine, where nobody waits for the callback:
 * `items.forEach(async ...)`, `items.filter(async ...)`, `setTimeout(async ...)`. Its errors are
 * lost and no cancel reaches it. Under `until(Promise.all(items.map(async ...)))` it is right.
 *
 * ```ts ignore
 * items.forEach(async (item) => { await save(item); }); // wrong
 * yield* until(Promise.all(items.map(async (item) => { await save(item); }))); // right
 * ```
 *
 * @module
 */
import { isThisPackage } from "./knowledge.ts";
import { type LintPlugin, makePlugin } from "./plugin.ts";

export type { LintConfig, LintPlugin, LintRule } from "./plugin.ts";

/**
 * The plugin, `broomio`.
 *
 * @example
 * ```ts
 * import broomio from "jsr:@broomio/core/lint";
 *
 * console.log(Object.keys(broomio.rules).length); // 10
 * console.log(broomio.configs.recommended.rules["broomio/yield-star"]); // error
 * ```
 */
const plugin: LintPlugin = makePlugin("broomio", isThisPackage);
export default plugin;
