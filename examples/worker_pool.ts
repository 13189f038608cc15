// deno run examples/worker_pool.ts
import { Loop, Nursery, openChannel, type Receiver, type Sender, sleep } from "jsr:@broomio/core";

/** Works off jobs until no more come. */
function* worker(name: string, jobs: Receiver<number>, results: Sender<string>) {
  using _jobs = jobs;
  using _results = results; // when the last worker closes its clone, the results end
  yield* jobs.forEach(function* (job) {
    yield* sleep(job / 100); // the work
    yield* results.send(`${name} has done job ${job}`);
  });
}

function* main() {
  const jobs = openChannel<number>(2); // two jobs wait at most: who makes them is held back
  const results = openChannel<string>(0);
  yield* Nursery.open(function* (nursery) {
    for (const name of ["Ann", "Bob", "Cid"]) {
      const ends = [jobs.receiver.clone(), results.sender.clone()] as const;
      nursery.startSoon(worker(name, ...ends), { name });
    }
    jobs.receiver.close(); // the clones remain
    results.sender.close();

    nursery.startSoon(function* () {
      using sender = jobs.sender;
      for (const job of [6, 4, 1, 4, 7, 1, 3]) yield* sender.send(job);
      console.log("every job is handed out");
    }());

    let count = 0;
    yield* results.receiver.forEach((result) => {
      console.log(result);
      count++;
    });
    console.log(`${count} results, and everybody has gone home`);
  });
}

await new Loop().run(main());

/* Output:
Cid has done job 1
...
7 results, and everybody has gone home
*/
