/**
 * Random programs of senders, receivers, choosers, closers and cancellers over two channels,
 * against a model of a few lines.
 *
 * The model is told of each operation in the step in which the loop performs it, so it is exact
 * whatever the order of execution: it says for every operation how it must end. A value lost,
 * doubled, leaked or served out of turn is a difference.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  Cancelled,
  CancelScope,
  type Channel,
  type Coroutine,
  type ExecutionOrder,
  Loop,
  openChannel,
  type Operation,
  type Receiver,
  select,
  type Selectable,
  type Sender,
  sleep,
} from "../../mod.ts";
import { seededRandom } from "../../src/kernel/ready_queue.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";

/** How an operation ended. */
type Outcome = string;

/** One side of one operation, as the model keeps it: the arms of a `select` have one `id`. */
interface Want {
  id: number;
  arm: string;
  /** Which end it is on. */
  end: string;
  /** What it sends; absent where it receives. */
  value?: number;
}

class Model {
  readonly outcomes = new Map<number, Outcome>();
  readonly buffers: number[][] = [[], []];
  readonly waiting: { senders: Want[]; receivers: Want[] }[] = [
    { senders: [], receivers: [] },
    { senders: [], receivers: [] },
  ];
  readonly open = new Set<string>();
  readonly capacities: readonly number[];

  constructor(capacities: readonly number[]) {
    this.capacities = capacities;
    for (const channel of [0, 1]) {
      for (const clone of [0, 1]) this.open.add(`${channel}s${clone}`).add(`${channel}r${clone}`);
    }
  }

  /** How many ends of a kind are open. */
  count(channel: number, kind: "s" | "r"): number {
    return [...this.open].filter((end) => end.startsWith(`${channel}${kind}`)).length;
  }

  settle(want: Want, outcome: Outcome): void {
    this.outcomes.set(want.id, want.arm + outcome);
    this.forget(want.id);
  }

  forget(id: number): void {
    for (const lines of this.waiting) {
      lines.senders = lines.senders.filter((want) => want.id !== id);
      lines.receivers = lines.receivers.filter((want) => want.id !== id);
    }
  }

  /** An operation on one end arrives: false where it has to wait. */
  attempt(want: Want): boolean {
    const channel = Number(want.end[0]);
    const lines = this.waiting[channel];
    const buffer = this.buffers[channel];
    const sends = want.value !== undefined;
    if (!this.open.has(want.end)) {
      this.settle(want, "ClosedResourceError");
    } else if (sends) {
      const receiver = lines.receivers.find((other) => other.id !== want.id);
      if (this.count(channel, "r") === 0) this.settle(want, "BrokenResourceError");
      else if (receiver !== undefined) {
        this.settle(receiver, `received ${want.value}`);
        this.settle(want, "sent");
      } else if (buffer.length < this.capacities[channel]) {
        buffer.push(want.value!);
        this.settle(want, "sent");
      } else return false;
    } else {
      const sender = lines.senders.find((other) => other.id !== want.id);
      if (buffer.length > 0) {
        this.settle(want, `received ${buffer.shift()}`);
        if (sender !== undefined) buffer.push(sender.value!);
      } else if (sender !== undefined) {
        this.settle(want, `received ${sender.value}`);
      } else if (this.count(channel, "s") === 0) {
        this.settle(want, "EndOfChannel");
      } else return false;
      if (sender !== undefined) this.settle(sender, "sent");
    }
    return true;
  }

  /** An operation that waits arrives; arms are tried in the order that `select` draws. */
  arrive(wants: Want[], random: () => number): void {
    for (let left = wants.length; left > 0; left--) {
      const i = left === 1 ? 0 : Math.floor(random() * left);
      const want = wants[i];
      wants[i] = wants[left - 1];
      if (this.attempt(want)) return;
      const lines = this.waiting[Number(want.end[0])];
      (want.value === undefined ? lines.receivers : lines.senders).push(want);
    }
  }

  cancel(id: number): void {
    if (this.outcomes.has(id)) return;
    this.outcomes.set(id, "Cancelled");
    this.forget(id);
  }

  close(end: string): void {
    if (!this.open.delete(end)) return;
    const channel = Number(end[0]);
    const lines = this.waiting[channel];
    const fail = (wants: Want[], outcome: Outcome) => {
      for (const want of wants) if (!this.outcomes.has(want.id)) this.settle(want, outcome);
    };
    if (end[1] === "s") {
      fail(lines.senders.filter((want) => want.end === end), "ClosedResourceError");
      if (this.count(channel, "s") === 0) fail(lines.receivers, "EndOfChannel");
    } else {
      fail(lines.receivers.filter((want) => want.end === end), "ClosedResourceError");
      if (this.count(channel, "r") > 0) return;
      this.buffers[channel].length = 0;
      fail(lines.senders, "BrokenResourceError");
    }
  }
}

/** A step of a random task. */
type Step =
  | {
    kind: "send" | "receive" | "trySend" | "tryReceive" | "close";
    channel: number;
    clone: number;
  }
  | { kind: "close"; channel: number; clone: number; sender: boolean }
  | { kind: "select"; arms: { send: boolean; channel: number; clone: number }[] }
  | { kind: "sleep"; seconds: number }
  | { kind: "cancel"; which: number };

class Program {
  readonly log = new Map<number, Outcome>();
  readonly model: Model;
  readonly channels: Channel<number>[];
  readonly senders: Sender<number>[][];
  readonly receivers: Receiver<number>[][];
  readonly live = new Map<number, CancelScope>();
  readonly random: () => number;
  lastId = 0;

  constructor(capacities: readonly number[], random: () => number) {
    this.model = new Model(capacities);
    this.random = random;
    this.channels = capacities.map((capacity) => openChannel<number>(capacity));
    this.senders = this.channels.map(({ sender }) => [sender, sender.clone()]);
    this.receivers = this.channels.map(({ receiver }) => [receiver, receiver.clone()]);
  }

  *task(steps: readonly Step[]): Coroutine {
    for (const step of steps) yield* this.step(step);
  }

  *step(step: Step): Coroutine {
    const { model } = this;
    switch (step.kind) {
      case "sleep":
        return yield* sleep(step.seconds);
      case "cancel": {
        const ids = [...this.live.keys()];
        if (ids.length === 0) return;
        const id = ids[step.which % ids.length];
        model.cancel(id);
        this.live.get(id)!.cancel();
        return this.compare();
      }
      case "close":
        return this.close(
          `${step.channel}${"sender" in step && step.sender ? "s" : "r"}${step.clone}`,
        );
      case "trySend":
      case "tryReceive":
        return this.tryOnce(step.kind === "trySend", step.channel, step.clone);
      case "send":
      case "receive": {
        const want = this.want("", step.kind === "send", step.channel, step.clone);
        return yield* this.wait(want.id, [want], () => this.operation(want), "");
      }
      case "select": {
        const id = ++this.lastId;
        const wants = step.arms.map((arm, i) => ({
          ...this.want(`arm${i} `, arm.send, arm.channel, arm.clone),
          id,
        }));
        yield* this.wait(
          id,
          wants,
          () =>
            select(
              Object.fromEntries(
                wants.map((want) => [want.arm, this.operation(want) as Selectable<unknown>]),
              ),
            ),
          null,
        );
      }
    }
  }

  want(arm: string, send: boolean, channel: number, clone: number): Want {
    const id = ++this.lastId;
    return { id, arm, end: `${channel}${send ? "s" : "r"}${clone}`, value: send ? id : undefined };
  }

  operation({ end, value }: Want): Operation<unknown> {
    const [channel, clone] = [Number(end[0]), Number(end[2])];
    return value === undefined
      ? this.receivers[channel][clone].receive()
      : this.senders[channel][clone].send(value);
  }

  /** Performs an operation that waits, in a scope of its own, and tells the model. */
  *wait(
    id: number,
    wants: Want[],
    operation: () => Operation<unknown>,
    arm: string | null,
  ): Coroutine {
    const { model, live, log, random } = this;
    const compare = () => this.compare();
    yield* CancelScope.open(function* (scope) {
      live.set(id, scope);
      compare();
      model.arrive([...wants], random);
      try {
        const got = yield* operation();
        const { arm: name, value } = arm === null
          ? got as { arm: string; value: unknown }
          : { arm, value: got };
        log.set(id, name + (value === undefined ? "sent" : `received ${value}`));
      } catch (error) {
        const { name } = error as Error;
        // The model knows which arm failed; `select` does not say.
        const failed = arm === null && !(error instanceof Cancelled)
          ? model.outcomes.get(id)?.split(" ")[0] + " "
          : "";
        log.set(id, failed + name);
        if (error instanceof Cancelled) throw error;
      } finally {
        live.delete(id);
      }
    });
  }

  tryOnce(send: boolean, channel: number, clone: number): void {
    const want = this.want("", send, channel, clone);
    let outcome: Outcome;
    try {
      if (send) outcome = this.senders[channel][clone].trySend(want.value!) ? "sent" : "false";
      else {
        const value = this.receivers[channel][clone].tryReceive();
        outcome = value === undefined ? "false" : `received ${value}`;
      }
    } catch (error) {
      outcome = (error as Error).name;
    }
    const expected = this.model.attempt(want) ? this.model.outcomes.get(want.id)! : "false";
    assertEquals(outcome, expected);
    this.model.outcomes.delete(want.id);
    this.compare();
  }

  close(end: string): void {
    const ends = end[1] === "s" ? this.senders : this.receivers;
    ends[Number(end[0])][Number(end[2])].close();
    this.model.close(end);
    this.compare();
  }

  /** What the channels say of themselves is what the model says of them. */
  compare(): void {
    for (const [channel, { sender }] of this.channels.entries()) {
      const { capacity: _, ...statistics } = sender.statistics();
      const lines = this.model.waiting[channel];
      assertEquals(statistics, {
        buffered: this.model.buffers[channel].length,
        openSenders: this.model.count(channel, "s"),
        openReceivers: this.model.count(channel, "r"),
        waitingSenders: lines.senders.length,
        waitingReceivers: lines.receivers.length,
      });
    }
  }

  /** Ends everything, so that whoever still waits does not. */
  *closer(): Coroutine {
    yield* sleep(1000);
    for (const end of ["0r0", "0r1", "0s0", "0s1", "1s0", "1s1", "1r0", "1r1"]) {
      this.close(end);
      yield* sleep(1);
    }
  }
}

const channel = fc.integer({ min: 0, max: 1 });
const clone = channel;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), channel, clone }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("receive" as const), channel, clone }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("trySend" as const), channel, clone }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("tryReceive" as const), channel, clone }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("select" as const),
      arms: fc.array(fc.record({ send: fc.boolean(), channel, clone }), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("sleep" as const),
      seconds: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("close" as const),
      channel,
      clone,
      sender: fc.boolean(),
    }),
  },
);

for (const executionOrder of ["fifo", "lifo", "random"] as ExecutionOrder[]) {
  Deno.test(`R30, R32: random programs on channels do as the model says, in order ${executionOrder}`, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
        fc.array(fc.array(step, { maxLength: 8 }), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        async (capacities, tasks, seed) => {
          const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
          const random = seededRandom(executionOrder === "random" ? seed : 0);
          const program = new Program(capacities, random);
          for (const steps of tasks) loop.startSoon(program.task(steps));
          loop.startSoon(program.closer());
          await loop.run();
          assertEquals(
            program.log,
            new Map(
              [...program.log.keys()].map((id) => [id, program.model.outcomes.get(id)] as const),
            ) as Map<number, Outcome>,
          );
          assertEquals(program.log.size, program.model.outcomes.size);
          for (const outcome of program.log.values()) {
            const kind = outcome.replace(/arm\d |\d+/g, "");
            seen.set(kind, (seen.get(kind) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 400 },
    );
    // Every kind of ending must occur, or the programs tested less than they claim.
    for (
      const kind of [
        ...["sent", "received ", "Cancelled", "ClosedResourceError"],
        ...["BrokenResourceError", "EndOfChannel"],
      ]
    ) assertEquals((seen.get(kind) ?? 0) > 20, true, `${kind}: ${seen.get(kind)}`);
  });
}
