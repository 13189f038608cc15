/**
 * keepAlive: keeps the program from ending while something is waited for of which the runtime does
 * not know that it may come: a signal. In Node a listener for signals keeps no program alive, and
 * in Deno it does so only while code at the top level awaits.
 *
 * Invariant: there is one timer while anybody holds, and none otherwise.
 */

/** The longest that a timer takes, in milliseconds. */
const LONG = 2 ** 31 - 1;

let holders = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Keeps the program alive until the function that it gives is called; twice is once. */
export function keepAlive(): () => void {
  if (holders++ === 0) timer = setInterval(() => {}, LONG);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    if (--holders === 0) clearInterval(timer);
  };
}
