// deno run examples/fan_out.ts
import { Broadcast, checkpoint, Loop, Nursery, sleep } from "jsr:@broomio/core";

const prices = new Broadcast<number>({ capacity: 3, slow: "dropOldest" });

/** Sees every price, for it keeps up. */
function* ledger() {
  using subscription = prices.subscribe();
  const seen: number[] = [];
  yield* subscription.forEach((price) => void seen.push(price));
  console.log(`ledger: ${seen.join(" ")}`);
}

/** Is slow, and gets the newest rather than the oldest. */
function* display() {
  using subscription = prices.subscribe();
  yield* subscription.forEach(function* (price) {
    console.log(`display: ${price}`);
    yield* sleep(0.1);
  });
  console.log(`display: ${subscription.dropped} prices never shown`);
}

function* market() {
  using _ = prices; // closed at the end: that ends both of them
  yield* sleep(0.01); // they have subscribed
  for (let price = 100; price < 110; price++) {
    yield* prices.send(price); // waits for nobody, with this policy
    yield* checkpoint();
  }
}

await new Loop().run(Nursery.open(function* (nursery) {
  for (const coroutine of [ledger(), display(), market()]) nursery.startSoon(coroutine);
}));

/* Output:
display: 100
ledger: 100 101 102 103 104 105 106 107 108 109
display: 107
display: 108
display: 109
display: 6 prices never shown
*/
