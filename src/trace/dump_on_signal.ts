/**
 * dumpOnSignal: a program that hangs can be asked from outside what it waits for.
 */
import { checkFunction, checkOptions, checkString } from "../check.ts";
import type { Loop } from "../loop.ts";
import { onSignal } from "../runtime/signal_listener.ts";
import { webHost } from "../runtime/web_host.ts";
import { taskTree } from "./task_tree.ts";

/**
 * Options of {@linkcode dumpOnSignal}.
 *
 * @example
 * ```ts
 * import { failAfter, Loop, until } from "jsr:@broomio/core";
 * import { type DumpOptions, dumpOnSignal } from "jsr:@broomio/core/trace";
 * import { assertStringIncludes } from "jsr:@std/assert";
 *
 * const { promise, resolve } = Promise.withResolvers<string>();
 * const options: DumpOptions = { signal: "SIGUSR2", print: resolve };
 * const loop = new Loop();
 * using _ = dumpOnSignal(loop, options);
 * Deno.kill(Deno.pid, "SIGUSR2"); // kill -USR2 PID
 * const dump = await loop.run(failAfter(10, until(promise)));
 * assertStringIncludes(dump, "main");
 * ```
 */
export interface DumpOptions {
  /**
   * The signal; by default `SIGUSR2`. Not `SIGUSR1`: that opens the debugger in Node and in Deno.
   */
  signal?: string;
  /** What is done with the text; by default it is printed as a warning. */
  print?: (text: string) => void;
}

/**
 * Prints the tree of the tasks whenever the process gets a signal: `kill -USR2 PID`. Keeps no
 * program alive. Where a runtime has no signals, as in a browser, it does nothing.
 *
 * @returns Ends the listening when it is disposed.
 * @throws {TypeError} If it is no loop, or an option is not valid.
 *
 * @example
 * ```ts
 * import { Loop, sleep } from "jsr:@broomio/core";
 * import { dumpOnSignal } from "jsr:@broomio/core/trace";
 *
 * const loop = new Loop({ debug: true }); // then it says where each task waits, too
 * using _ = dumpOnSignal(loop);
 * await loop.run(sleep(0.01)); // meanwhile: kill -USR2 PID
 * ```
 */
export function dumpOnSignal(loop: Loop, options: DumpOptions = {}): Disposable {
  taskTree(loop); // refuses here what is no loop
  checkOptions(options, "dumpOnSignal", ["signal", "print"]);
  const { signal = "SIGUSR2", print = webHost.warn } = options;
  checkString(signal, "signal");
  checkFunction(print, "print");
  const end = onSignal(signal, () => print(`broomio: the tasks at ${signal}:\n${taskTree(loop)}`));
  return { [Symbol.dispose]: () => end?.() };
}
