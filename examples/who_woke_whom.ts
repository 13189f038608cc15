// deno run examples/who_woke_whom.ts
// An instrument: prints what each task waits for, and who wakes or cancels whom. Two workers share a queue; the
// one that fails cancels the other.
import { type Coroutine, type Instrument, Lock, Loop } from "jsr:@broomio/core";
import { Nursery, openChannel, sleep } from "jsr:@broomio/core";

const print: Instrument = {
  taskStarted: (task, by) => console.log(`${task.name}: started by ${by?.name ?? "outside"}`),
  taskWaiting: (task, wait) => console.log(`${task.name}: ${wait.describe()}`),
  taskWoken(task, wake) {
    const by = wake.by === "task" ? wake.task.name : wake.by;
    console.log(`${task.name}: woken by ${by}`);
  },
  scopeCancelled: (scope, { message }) => console.log(`${scope.name}: ${message}`),
  taskEnded: (task, { state }) => console.log(`${task.name}: ${state}`),
};

const { sender, receiver } = openChannel<string>(1, { name: "jobs" });
const database = new Lock({ name: "database" });

function* save(): Coroutine {
  for (;;) {
    const job = yield* receiver.receive();
    yield* database.with(function* () {
      yield* sleep(0.01);
      if (job === "broken") throw new Error("cannot be saved");
    });
  }
}

await new Loop({ instruments: [print] }).run(function* () {
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(save(), { name: "one" });
    nursery.startSoon(save(), { name: "two" });
    yield* sender.send("broken");
    yield* sender.send("good");
  }, { name: "workers" });
}()).catch((error) => console.log(error.message.split(":", 1)[0]));

/* Output:
main: started by outside
one: started by main
two: started by main
two: receiving from channel "jobs" (capacity 1, 1 open senders, 1 open receivers)
two: woken by main
two: acquiring lock "database"
main: waiting for 2 children of workers
one: sleeping for 0.01 s
one: woken by timer
two: woken by one
one: failed
workers: Cancelled because task one failed: cannot be saved
two: cancelled
main: woken by two
main: failed
1 error, in task one
*/
