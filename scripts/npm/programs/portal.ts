// Portal in an async program: idle it keeps no process alive, and what nobody handles is an unhandled rejection.
import process from "node:process";
import { AsyncLocalStorage } from "node:async_hooks";
import { currentLoop, Portal, sleep } from "jsr:@broomio/core";

const portal = new Portal();
const storage = new AsyncLocalStorage<string>();

function* broken(what: string) {
  yield* sleep(0.001);
  throw new RangeError(what);
}

function* store() {
  yield* sleep(0.001);
  return storage.getStore();
}

process.on("unhandledRejection", (error) => console.log(`unhandled: ${(error as Error).message}`));

async function main() {
  console.log(await portal.run(store));
  console.log(await storage.run("of the caller", () => portal.run(store)));
  console.log(await portal.run(broken("own error")).catch((error) => error.message));
  portal.run(broken("nobody looks"));
  await portal.run(function* () {
    (yield* currentLoop()).startSoon(broken("a stray"));
    yield* sleep(0.05);
  });
  // An hour, of which nothing is left when the run has ended.
  await portal.run(sleep(0.001), { timeout: { hours: 1 } });
  console.log(`${portal.active} runs; the portal stays open`);
}
void main();
/* Output:
undefined
of the caller
own error
unhandled: nobody looks
unhandled: a stray
0 runs; the portal stays open
*/
