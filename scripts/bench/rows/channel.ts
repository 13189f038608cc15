/**
 * Channels: ping-pong between two tasks over two channels, and a pipeline of 8 stages between a source and a sink, with
 * capacity 0 (a rendezvous), 1 and 64. One operation is one message over one channel.
 *
 * - ours: `openChannel(capacity)`, `send`, `receive`.
 * - async: `PromiseQueue` of `promise_queue.ts`, hand-written, `await` on both ends.
 * - Effect: `Queue.bounded(capacity)`, `offer`, `take`. One `setImmediate` turn carries few messages of a ping-pong, so
 *   many pairs run at once, on every side.
 * - Effection: `createChannel`, whose sends never wait: it has no capacity, which is in its favour.
 *   Subscribed to before the start, as a channel without a subscriber drops what is sent.
 */

import { Gate } from "../gate.ts";
import { effectionMany, effectMany } from "../peers.ts";
import { runMany } from "../lib.ts";
import { PromiseQueue } from "../promise_queue.ts";
import type { Subscription } from "../peers.ts";
import type { Sides, SizedSide, TimeRow } from "../row.ts";

/** Ping-pong pairs at once: each pair is its own two tasks, so the shape of the work stays the same. */
const pairs = 50;

function pingPong(capacity: number): Sides {
  const rallies: Record<SizedSide, number> = {
    broomio: 2_000,
    async: 2_000,
    effect: 200,
    effection: 50,
  };
  return {
    broomio(lib) {
      const { openChannel } = lib;
      const times = rallies.broomio;
      let done = 0;
      let gate: Gate;
      return {
        ops: pairs * times * 2,
        async run(watch) {
          done = 0;
          gate = new Gate(watch, pairs * 2);
          const there = Array.from({ length: pairs }, () => openChannel<number>(capacity));
          const back = Array.from({ length: pairs }, () => openChannel<number>(capacity));
          function* ping({ sender }: typeof there[0], { receiver }: typeof there[0]) {
            gate.begin();
            for (let time = 0; time < times; time++) {
              yield* sender.send(time);
              if ((yield* receiver.receive()) === time) done++;
            }
            gate.end();
          }
          function* pong({ receiver }: typeof there[0], { sender }: typeof there[0]) {
            gate.begin();
            for (let time = 0; time < times; time++) {
              yield* sender.send(yield* receiver.receive());
              done++;
            }
            gate.end();
          }
          await runMany(lib, pairs * 2, (index) => {
            const pair = index >> 1;
            return index % 2 === 0 ? ping(there[pair], back[pair]) : pong(there[pair], back[pair]);
          });
          return done;
        },
      };
    },
    async() {
      const times = rallies.async;
      let done = 0;
      let gate: Gate;
      async function ping(there: PromiseQueue<number>, back: PromiseQueue<number>) {
        gate.begin();
        for (let time = 0; time < times; time++) {
          await there.send(time);
          if (await back.receive() === time) done++;
        }
        gate.end();
      }
      async function pong(there: PromiseQueue<number>, back: PromiseQueue<number>) {
        gate.begin();
        for (let time = 0; time < times; time++) {
          await back.send(await there.receive());
          done++;
        }
        gate.end();
      }
      return {
        ops: pairs * times * 2,
        async run(watch) {
          done = 0;
          gate = new Gate(watch, pairs * 2);
          const promises: Promise<void>[] = [];
          for (let pair = 0; pair < pairs; pair++) {
            const there = new PromiseQueue<number>(capacity);
            const back = new PromiseQueue<number>(capacity);
            promises.push(ping(there, back), pong(there, back));
          }
          await Promise.all(promises);
          return done;
        },
      };
    },
    effect(fx) {
      const { Effect, Queue } = fx;
      const times = rallies.effect;
      let done = 0;
      let gate: Gate;
      const player = (first: boolean, there: NumberQueue, back: NumberQueue) =>
        Effect.gen(function* () {
          gate.begin();
          for (let time = 0; time < times; time++) {
            if (first) {
              yield* Queue.offer(there, time);
              if ((yield* Queue.take(back)) === time) done++;
            } else {
              yield* Queue.offer(back, yield* Queue.take(there));
              done++;
            }
          }
          gate.end();
        });
      const make = () => Effect.runSync(Queue.bounded<number>(capacity));
      type NumberQueue = ReturnType<typeof make>;
      return {
        ops: pairs * times * 2,
        async run(watch) {
          done = 0;
          gate = new Gate(watch, pairs * 2);
          const there = Array.from({ length: pairs }, make);
          const back = Array.from({ length: pairs }, make);
          await effectMany(
            fx,
            pairs * 2,
            (index) => player(index % 2 === 0, there[index >> 1], back[index >> 1]),
          );
          return done;
        },
      };
    },
    effection(fx) {
      const { createChannel } = fx;
      const times = rallies.effection;
      let done = 0;
      let gate: Gate;
      type NumberChannel = ReturnType<typeof createChannel<number, void>>;
      type NumberSubscription = Subscription<number, void>;
      function* ping(there: NumberChannel, replies: NumberSubscription) {
        gate.begin();
        for (let time = 0; time < times; time++) {
          yield* there.send(time);
          if ((yield* replies.next()).value === time) done++;
        }
        gate.end();
      }
      function* pong(requests: NumberSubscription, back: NumberChannel) {
        gate.begin();
        for (let time = 0; time < times; time++) {
          const { value } = yield* requests.next();
          yield* back.send(value as number);
          done++;
        }
        gate.end();
      }
      return {
        ops: pairs * times * 2,
        async run(watch) {
          done = 0;
          gate = new Gate(watch, pairs * 2);
          const there = Array.from({ length: pairs }, () => createChannel<number, void>());
          const back = Array.from({ length: pairs }, () => createChannel<number, void>());
          const requests: NumberSubscription[] = [];
          const replies: NumberSubscription[] = [];
          await effectionMany(fx, pairs * 2, (index) => {
            const pair = index >> 1;
            return index % 2 === 0
              ? ping(there[pair], replies[pair])
              : pong(requests[pair], back[pair]);
          }, function* () {
            for (const channel of there) requests.push(yield* channel);
            for (const channel of back) replies.push(yield* channel);
          });
          return done;
        },
      };
    },
  };
}

/** Tasks that pass on, between a source and a sink: one more channel than stages. */
const stages = 8;

function pipeline(capacity: number): Sides {
  const hops = stages + 1;
  const messages: Record<SizedSide, number> = {
    broomio: 20_000,
    async: 20_000,
    effect: 2_000,
    effection: 200,
  };
  return {
    broomio(lib) {
      const { openChannel } = lib;
      const count = messages.broomio;
      return {
        ops: count * hops,
        async run(watch) {
          let passed = 0;
          const gate = new Gate(watch, hops + 1);
          const channels = Array.from({ length: hops }, () => openChannel<number>(capacity));
          function* task(index: number) {
            const input = index > 0 ? channels[index - 1].receiver : undefined;
            const output = index < hops ? channels[index].sender : undefined;
            gate.begin();
            for (let message = 0; message < count; message++) {
              const value = input === undefined ? message : yield* input.receive();
              if (output === undefined) passed += value === message ? hops : 0;
              else yield* output.send(value);
            }
            gate.end();
          }
          await runMany(lib, hops + 1, task);
          return passed;
        },
      };
    },
    async() {
      const count = messages.async;
      return {
        ops: count * hops,
        async run(watch) {
          let passed = 0;
          const gate = new Gate(watch, hops + 1);
          const channels = Array.from({ length: hops }, () => new PromiseQueue<number>(capacity));
          async function task(index: number) {
            const input = index > 0 ? channels[index - 1] : undefined;
            const output = index < hops ? channels[index] : undefined;
            gate.begin();
            for (let message = 0; message < count; message++) {
              const value = input === undefined ? message : await input.receive();
              if (output === undefined) passed += value === message ? hops : 0;
              else await output.send(value);
            }
            gate.end();
          }
          await Promise.all(Array.from({ length: hops + 1 }, (_, index) => task(index)));
          return passed;
        },
      };
    },
    effect(fx) {
      const { Effect, Queue } = fx;
      const count = messages.effect;
      return {
        ops: count * hops,
        async run(watch) {
          let passed = 0;
          const gate = new Gate(watch, hops + 1);
          const channels = Array.from(
            { length: hops },
            () => Effect.runSync(Queue.bounded<number>(capacity)),
          );
          const task = (index: number) =>
            Effect.gen(function* () {
              const input = index > 0 ? channels[index - 1] : undefined;
              const output = index < hops ? channels[index] : undefined;
              gate.begin();
              for (let message = 0; message < count; message++) {
                const value: number = input === undefined ? message : yield* Queue.take(input);
                if (output === undefined) passed += value === message ? hops : 0;
                else yield* Queue.offer(output, value);
              }
              gate.end();
            });
          await effectMany(fx, hops + 1, task);
          return passed;
        },
      };
    },
    effection(fx) {
      const { createChannel } = fx;
      const count = messages.effection;
      return {
        ops: count * hops,
        async run(watch) {
          let passed = 0;
          const gate = new Gate(watch, hops + 1);
          const channels = Array.from({ length: hops }, () => createChannel<number, void>());
          const inputs: Subscription<number, void>[] = [];
          function* task(index: number) {
            const input = index > 0 ? inputs[index - 1] : undefined;
            const output = index < hops ? channels[index] : undefined;
            gate.begin();
            for (let message = 0; message < count; message++) {
              const value = input === undefined ? message : (yield* input.next()).value as number;
              if (output === undefined) passed += value === message ? hops : 0;
              else yield* output.send(value);
            }
            gate.end();
          }
          await effectionMany(fx, hops + 1, task, function* () {
            for (const channel of channels) inputs.push(yield* channel);
          });
          return passed;
        },
      };
    },
  };
}

const head = {
  kind: "time",
  per: "message",
  clock: "wall",
  bars: { async: 1.0, effect: 0.2, effection: 0.02 },
  needs: ["Loop", "Nursery", "openChannel"],
} as const;

export const channelRows: readonly TimeRow[] = [
  ...[0, 1, 64].map((capacity): TimeRow => ({
    ...head,
    id: `ping-pong-${capacity}`,
    title: `channel ping-pong, capacity ${capacity}`,
    sides: pingPong(capacity),
  })),
  ...[0, 1, 64].map((capacity): TimeRow => ({
    ...head,
    id: `pipeline-${capacity}`,
    title: `pipeline, ${stages} stages, capacity ${capacity}`,
    sides: pipeline(capacity),
  })),
];
