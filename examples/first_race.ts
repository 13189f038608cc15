// deno run --allow-env --allow-read examples/first_race.ts
// A test that fails now and then: two sign-ups for the same name. `explore` finds the order in which it fails.
import { checkpoint, type Coroutine, Lock, Nursery } from "jsr:@broomio/core";
import { ExplorationError, explore, type Program, replay } from "jsr:@broomio/core/testing";

/** Everything is made inside, so that nothing is left from one run for the next. */
const signUps = (mended: boolean): Program => () => {
  const users: string[] = [];
  const lock = new Lock();

  function* signUp(name: string): Coroutine {
    if (users.includes(name)) return;
    yield* checkpoint(); // asks the database
    users.push(name);
  }

  return {
    main: Nursery.open(function* (nursery) {
      for (let i = 0; i < 2; i++) {
        nursery.startSoon(mended ? lock.with(signUp("ann")) : signUp("ann"), { name: `form ${i}` });
      }
    }),
    check() {
      if (users.length !== 1) throw new Error(`${users.length} users are called ann`);
    },
  };
};

try {
  await explore(signUps(false));
} catch (error) {
  if (!(error instanceof ExplorationError)) throw error;
  console.log(error.message);
  // What it says can be pasted, and fails in the same way each time: under a debugger, or as a test.
  await replay(signUps(false), error.schedule).catch(() => console.log("\nonce more, it fails"));
}

const { schedules, complete } = await explore(signUps(true));
console.log(`with a lock: ${schedules} schedules, ${complete ? "all there are" : "no failure"}`);

/* Output:
Schedule 1 fails (mixed (fifo), shrunk from 2 preemptions to 1): Error: 2 users are called ann

  in first_race.ts
  step  main                              form 0                            form 1
     1  waiting for 2 children
     2                                    :13 ready
     3*                                                                     :13 ready
     4                                                                      succeeded
     5                                    succeeded
     6  succeeded

  replay(program, "1:1")   // seed 0; * marks where another task could have gone on

once more, it fails
with a lock: 9 schedules, all there are
*/
