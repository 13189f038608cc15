/**
 * The global names of one runtime or another that the default host looks for.
 */

/**
 * What we look at of the global object; none of it is needed but `performance`, `setTimeout` and
 * promises.
 */
export interface Globals {
  setImmediate?(callback: () => void): unknown;
  clearImmediate?(handle: unknown): void;
  navigator?: { userAgent?: string };
  Deno?: {
    internal?: symbol;
    permissions?: { querySync?(wanted: { name: "env"; variable: string }): { state: string } };
  };
  process?: {
    getBuiltinModule?(name: string): unknown;
    stderr?: unknown;
    env?: Record<string, string | undefined>;
  };
}
export const globals = globalThis as unknown as Globals;

/**
 * Whether this is Deno, whose loop differs from that of Node. Asked once: reading it costs a
 * microsecond.
 */
export const isDeno: boolean = globals.navigator?.userAgent?.startsWith("Deno/") === true;
