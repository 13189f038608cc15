/**
 * What the runtimes with Node's modules have in common here: getting such a module, and counting
 * processors.
 */

/**
 * Imports a module of Node when it is first needed; from a variable, so that bundlers for browsers
 * do not follow it.
 */
export function builtin<T>(name: string): Promise<T> {
  return import(name);
}

/** The part of `node:os` that is used here. */
interface Os {
  availableParallelism?(): number;
  cpus(): readonly unknown[];
}

/** How many threads the machine runs at once. */
export async function parallelism(): Promise<number> {
  const os = await builtin<Os>("node:os");
  return os.availableParallelism?.() ?? os.cpus().length;
}
