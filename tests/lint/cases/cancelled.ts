/** Programs for `no-swallowed-cancelled` and `no-unshielded-cleanup`. */
import type { Cases } from "./mod.ts";

const cases: Record<string, Cases> = {
  "no-swallowed-cancelled": {
    right: [
      `export function* main() { try { yield* sleep(1); } catch (error) { if (error instanceof Cancelled) throw error; console.log(error); } }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { if (!(error instanceof RangeError)) throw error; console.log(error); } }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { if (error instanceof RangeError) { console.log(error); } else { throw error; } } }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { if ((error as { code: string }).code !== "EPIPE") throw error; } }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { switch ((error as Error).name) { case "RangeError": return 1; default: throw error; } } return 2; }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { if (error instanceof TypeError || error instanceof RangeError) return; throw error; } }`,
      // A function of the author's tells them apart, or throws it on.
      `export function* main(isRetriable: (e: unknown) => boolean) { try { yield* sleep(1); } catch (error) { if (isRetriable(error)) console.log(error); else throw error; } }`,
      `export function* main(rethrowCancelled: (e: unknown) => void) { try { yield* sleep(1); } catch (error) { rethrowCancelled(error); console.log("failed"); } }`,
      `export function* main(scope: CancelScope) { try { yield* sleep(1); } catch (error) { if (scope.cancelCalled) throw error; console.log("failed"); } }`,
      // Kept for whoever looks at it.
      `export function* main() { let failure: unknown; try { yield* sleep(1); } catch (error) { failure = error; } console.log("cleaned"); if (failure) throw failure; }`,
      `export function* errorOf(operation: Operation<void>): Coroutine<unknown> { try { yield* operation; } catch (error) { return error; } }`,
      // Nothing is waited for, or no cancel gets there.
      `export function* main(text: string) { yield* sleep(1); try { return JSON.parse(text); } catch { return null; } }`,
      `export function* main() { try { yield* shield(sleep(1)); } catch (error) { console.log(error); } }`,
      `export function* main() { yield* shield(function* () { try { yield* sleep(1); } catch (error) { console.log(error); } }); }`,
      `export function* main() { try { yield* sleep(1); } finally { console.log("done"); } }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { throw new Error("sleepless", { cause: error }); } }`,
      `export async function main() { try { await new Loop().run(sleep(1)); } catch (error) { console.log(error); } }`,
      // Not a coroutine of this package, as far as can be seen.
      `import { other } from "./own.ts"; import type { Task } from "jsr:@broomio/core"; export function* saga(task: Task) { try { yield* other(task); } catch (error) { console.log(error); } }`,
    ],
    wrong: [
      `export function* main() { try { yield* sleep(1); } /*!*/catch {} }`,
      `export function* main() { try { yield* sleep(1); } /*!*/catch (error) { console.log(error); } yield* sleep(1); }`,
      `export function* main() { while (true) { try { yield* sleep(1); } /*!*/catch (error) { console.log(error); } } }`,
      `export function* main(): Coroutine<string | null> { try { yield* sleep(1); return "x"; } /*!*/catch { return null; } }`,
      `export function* main() { try { yield* sleep(1); } /*!*/catch (error) { if (error instanceof Error) console.log(error.message); else throw error; } }`,
      `export function* main() { try { yield* sleep(1); } /*!*/catch (error) { if (error instanceof Cancelled) return; throw error; } }`,
      `export function* main(stream: ByteStream) { try { yield* stream.recv(); } /*!*/catch (error) { if ((error as { code: string }).code === "EPIPE") throw error; } }`,
      // A retry by hand.
      `export function* retry(body: () => Coroutine) { for (let i = 0;; i++) { try { return yield* body(); } /*!*/catch (error) { if (i > 3) throw error; console.log("again"); } } }`,
      `export function* retry(body: () => Coroutine) { let last: unknown; for (let i = 0; i < 3; i++) { try { return yield* body(); } /*!*/catch (error) { last = error; } } throw last; }`,
      `function* work() { try { yield* other(); } /*!*/catch { console.log("failed"); } } function* other() { yield* checkpoint(); } export function* main() { yield* work(); }`,
    ],
  },
  "no-unshielded-cleanup": {
    right: [
      `export function* main() { try { yield* sleep(1); } finally { yield* shield(sleep(1), { timeout: 1 }); } }`,
      `export function* main(lock: Lock) { yield* lock.acquire(); try { yield* sleep(1); } finally { lock.release(); } }`,
      `export function* main() { try { yield* sleep(1); } finally { yield* CancelScope.open(function* () { yield* sleep(1); }, { shield: true }); } }`,
      `export function* main() { try { yield* sleep(1); } finally { const task = yield* currentTask(); console.log(task.name); yield* ensure(() => {}); } }`,
      `function* goodbye() { yield* shield(sleep(1)); } export function* main() { try { yield* sleep(1); } finally { yield* goodbye(); } }`,
      // The whole function is shielded.
      `function* goodbye() { try { yield* sleep(1); } finally { yield* sleep(1); } } export function* main() { yield* ensure(goodbye); yield* shield(goodbye()); }`,
      `export function* main() { yield* ensure(function* () { try { yield* sleep(1); } finally { yield* sleep(1); } }); }`,
      // A wait after Cancelled has been thrown on: a backoff.
      `export function* main() { for (;;) { try { return yield* sleep(1); } catch (error) { if (error instanceof Cancelled) throw error; yield* sleep(1); } } }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { if (!(error instanceof RangeError)) throw error; yield* sleep(1); } }`,
      // The error was dealt with, and cannot be Cancelled.
      `export function* main(stream: ByteStream, text: string) { try { JSON.parse(text); } catch { yield* stream.send(new Uint8Array()); } }`,
      // A function inside runs at another time.
      `export function* main(nursery: Nursery) { try { yield* sleep(1); } finally { nursery.startSoon(function* () { yield* sleep(1); }()); } }`,
    ],
    wrong: [
      `export function* main() { try { throw new Error("the disk is full"); } finally { /*!*/yield* sleep(1); } }`,
      `export function* main(stream: ByteStream) { try { yield* stream.recv(); } finally { if (stream) { /*!*/yield* stream.shutdown(); } } }`,
      `function* goodbye() { yield* sleep(1); } export function* main() { try { yield* sleep(1); } finally { /*!*/yield* goodbye(); } }`,
      `import { close } from "./own.ts"; import { sleep } from "jsr:@broomio/core"; export function* main() { try { yield* sleep(1); } finally { /*!*/yield* close(); } }`,
      `export function* main() { try { throw new Error("first"); } catch (error) { /*!*/yield* sleep(1); throw error; } }`,
      `export function* main() { try { yield* sleep(1); } catch { /*!*/yield* sleep(1); } }`,
      `export function* retry(body: () => Coroutine) { for (let i = 0;; i++) { try { return yield* body(); } catch (error) { if (i > 3) throw error; /*!*/yield* sleep(i); } } }`,
      `export function* main() { try { yield* sleep(1); } catch (error) { if (error instanceof RangeError) throw error; /*!*/yield* sleep(1); throw error; } }`,
      `export function* main() { try { yield* sleep(1); } finally { try { /*!*/yield* sleep(1); } finally { /*!*/yield* sleep(2); } } }`,
    ],
  },
};
export default cases;
