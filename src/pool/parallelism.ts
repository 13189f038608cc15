/**
 * How many workers a machine with Node's modules can run at once.
 */
import { builtin } from "../runtime/builtin.ts";

/** The part of `node:os` that is used here. */
interface Os {
  availableParallelism?(): number;
  cpus(): readonly unknown[];
}

/** How many threads the machine runs at once; at least 1. */
export function parallelism(): number {
  const os = builtin<Os>("node:os");
  return Math.max(1, os?.availableParallelism?.() ?? os?.cpus().length ?? 1);
}
