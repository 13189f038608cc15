// deno run examples/happy_eyeballs.ts
import { Cancelled, type Coroutine, Event, Loop, Nursery, select, sleep } from "jsr:@broomio/core";
let open = 0;
type Connection = Disposable & { address: string };

// Connects to the first address that answers (RFC 8305). An attempt starts when the one before has
// failed, or after `stagger` seconds; the winner cancels the others, and a connection that came too
// late is closed.
function* happyEyeballs(addresses: string[], stagger = 0.25): Coroutine<Connection> {
  let winner: Connection | undefined;
  const errors: unknown[] = [];
  try {
    yield* Nursery.open(function* (nursery) {
      function* attempt(address: string, failed: Event): Coroutine {
        try {
          const connection = yield* connect(address);
          if (winner !== undefined) return connection[Symbol.dispose](); // both in one turn
          winner = connection;
          nursery.cancel();
        } catch (error) {
          if (error instanceof Cancelled) throw error;
          errors.push(error);
          failed.set();
        }
      }
      for (const address of addresses) {
        const failed = new Event();
        nursery.startSoon(attempt(address, failed), { name: address });
        yield* select({ failed: failed.wait(), next: sleep(stagger) });
      }
    });
  } catch (error) {
    winner?.[Symbol.dispose](); // cancelled from outside: nobody will get it
    throw error;
  }
  if (winner === undefined) throw new AggregateError(errors, "no address answers");
  return winner;
}

/**
 * A network of fakes: `::1` swallows every packet, `::2` refuses, `::4` answers sooner than `::3`,
 * but is asked later.
 */
function* connect(address: string): Coroutine<Connection> {
  console.log(`trying ${address}`);
  yield* sleep(new Map([["::1", 60], ["::2", 0.05], ["::3", 0.4]]).get(address) ?? 0.1);
  if (address === "::2") throw new Error("refused");
  open++;
  return { address, [Symbol.dispose]: () => void open-- };
}

await new Loop().run(function* () {
  using connection = yield* happyEyeballs(["::1", "::2", "::3", "::4"]);
  console.log(`connected to ${connection.address}, ${open} open`);
}());

/* Output:
trying ::1
trying ::2
trying ::3
trying ::4
connected to ::4, 1 open
*/
