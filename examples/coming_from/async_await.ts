// deno run examples/coming_from/async_await.ts
// Asks three shops at once, for at most 50 ms; who has not answered by then is told to stop.
import { all, Cancelled, type Coroutine, Loop, moveOnAfter, sleep } from "jsr:@broomio/core";

const shops: [name: string, ms: number][] = [["north", 5], ["south", 10], ["east", 5000]];

/**
 * With async functions, the signal goes by hand through every call, and every wait must look at it.
 */
async function withSignals(): Promise<string[]> {
  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", abort);
        resolve();
      }, ms);
      signal.addEventListener("abort", abort, { once: true });
    });
  }
  const answers: string[] = [];
  async function ask(shop: string, ms: number, signal: AbortSignal) {
    try {
      await pause(ms, signal);
      answers.push(shop);
    } catch (error) {
      if (!signal.aborted) throw error;
      console.log(`${shop} was told to stop`);
    }
  }
  const signal = AbortSignal.timeout(50);
  await Promise.all(shops.map(([shop, ms]) => ask(shop, ms, signal)));
  return answers;
}

/** With coroutines, the time limit reaches every wait below it. */
function* withCoroutines(): Coroutine<string[]> {
  const answers: string[] = [];
  function* ask(shop: string, ms: number) {
    try {
      yield* sleep({ milliseconds: ms });
      answers.push(shop);
    } catch (error) {
      if (error instanceof Cancelled) console.log(`${shop} was told to stop`);
      throw error;
    }
  }
  yield* moveOnAfter(0.05, all(shops.map(([shop, ms]) => ask(shop, ms))));
  return answers;
}

console.log("signals:", ...await withSignals());
console.log("coroutines:", ...await new Loop().run(withCoroutines()));

/* Output:
east was told to stop
signals: north south
east was told to stop
coroutines: north south
*/
