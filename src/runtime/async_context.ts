/**
 * The async context: how the `AsyncLocalStorage` stores of the code that runs now are kept, and set
 * again later (R35, R43).
 *
 * Invariant: nothing is loaded and nothing undocumented is touched before a context is captured for
 * the first time. Independent of: tasks, loops.
 *
 * Costs of capturing one and running in it, measured with a store in use: on Deno
 * `AsyncLocalStorage.snapshot()` 0.16 and 0.86 us, and 0.01 both by what Deno itself builds that
 * upon; on Node 20 the snapshot 11 and 0.1 us, an `AsyncResource`, which does the same, 0.07 and
 * 0.01.
 */
import { globals } from "./globals.ts";

/** Keeps the context of the call: gives a function that runs another in it. */
export type CaptureContext = () => (run: () => void) => void;

/** What is used of `node:async_hooks`. */
interface AsyncHooks {
  AsyncLocalStorage: {
    new (): { run<T>(store: unknown, run: () => T): T; getStore(): unknown };
    snapshot(): (run: () => void) => void;
  };
  AsyncResource: new (type: string) => { runInAsyncScope(run: () => void): void };
}

/** How contexts are captured in this runtime; undefined where it has none, as browsers. */
export function findContextCapture(): CaptureContext | undefined {
  const getBuiltinModule = globals.process?.getBuiltinModule;
  if (getBuiltinModule === undefined) return undefined;
  let capture: CaptureContext | undefined;
  return () => {
    if (capture === undefined) {
      const hooks = getBuiltinModule("node:async_hooks") as AsyncHooks;
      capture = undocumentedCapture(hooks) ?? documentedCapture(hooks);
    }
    return capture();
  };
}

/** The way that every runtime documents. */
export function documentedCapture(hooks: AsyncHooks): CaptureContext {
  if (globals.Deno !== undefined) return () => hooks.AsyncLocalStorage.snapshot();
  return () => {
    const resource = new hooks.AsyncResource("broomio.task");
    return (run) => resource.runInAsyncScope(run);
  };
}

/**
 * Undocumented runtime internals: what Deno's own `AsyncLocalStorage` sets. Only where a trial
 * shows that it does so; else undefined.
 */
export function undocumentedCapture(hooks: AsyncHooks): CaptureContext | undefined {
  const deno = globals.Deno as Record<symbol, { core?: Partial<DenoCore> }> | undefined;
  const internal = globals.Deno?.internal;
  if (deno === undefined || typeof internal !== "symbol") return undefined;
  const { getAsyncContext, setAsyncContext } = deno[internal]?.core ?? {};
  if (typeof getAsyncContext !== "function" || typeof setAsyncContext !== "function") {
    return undefined;
  }
  const runIn = (context: unknown) => (run: () => void): void => {
    const before = getAsyncContext();
    setAsyncContext(context);
    try {
      run();
    } finally {
      setAsyncContext(before);
    }
  };
  // Most programs have no store, or one for many calls.
  let last = getAsyncContext();
  let runInLast = runIn(last);
  const capture: CaptureContext = () => {
    const context = getAsyncContext();
    if (context !== last) runInLast = runIn(last = context);
    return runInLast;
  };
  return isRight(capture, hooks) ? capture : undefined;
}

interface DenoCore {
  getAsyncContext(): unknown;
  setAsyncContext(context: unknown): void;
}

/** Whether a store is seen in a captured context, and another is back afterwards. */
function isRight(capture: CaptureContext, hooks: AsyncHooks): boolean {
  try {
    const storage = new hooks.AsyncLocalStorage();
    const run = storage.run(1, capture);
    return storage.run(2, () => {
      let seen: unknown;
      run(() => seen = storage.getStore());
      return seen === 1 && storage.getStore() === 2;
    });
  } catch {
    return false;
  }
}
