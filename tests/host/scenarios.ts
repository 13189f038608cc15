/**
 * What the default host must do in real time, measured: run by host_test.ts in this runtime and,
 * bundled, in Node.
 *
 * Each scenario gives plain numbers and strings; the expected values are in the test.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { connect, createServer, type Server } from "node:net";
import {
  checkpoint,
  type Coroutine,
  Loop,
  Nursery,
  race,
  sleep,
  suspend,
  until,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";

/**
 * R5: how often timers fire and an echo server answers while tasks are always ready, for 400 ms.
 */
async function starvation(
  spin: () => Iterable<unknown>,
): Promise<{ ticks: number; trips: number }> {
  let stop = false;
  function* spinner(): Coroutine {
    while (!stop) yield* spin() as Coroutine;
  }
  const loop = new Loop();
  for (let i = 0; i < 20; i++) loop.startSoon(spinner());
  let ticks = 0;
  const interval = setInterval(() => ticks++, 5);
  setTimeout(() => stop = true, 400);
  const echo = roundTrips(() => stop);
  await loop.run();
  clearInterval(interval);
  return { ticks, trips: await echo };
}

/**
 * Round trips of one byte to an echo server, on plain sockets of this runtime, until told to stop.
 */
async function roundTrips(stopped: () => boolean): Promise<number> {
  let trips = 0;
  if ("Deno" in globalThis) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      const conn = await listener.accept();
      const buffer = new Uint8Array(1);
      while (await conn.read(buffer) !== null) await conn.write(buffer);
      conn.close();
    })();
    const client = await Deno.connect({ port: (listener.addr as Deno.NetAddr).port });
    client.setNoDelay();
    const buffer = new Uint8Array(1);
    for (; !stopped(); trips++) {
      await client.write(buffer);
      await client.read(buffer);
    }
    client.close();
    await serving;
    listener.close();
    return trips;
  }
  const server: Server = createServer((socket) => void socket.setNoDelay().pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as { port: number }).port, "127.0.0.1").setNoDelay();
  await new Promise<void>((resolve) => client.on("connect", resolve));
  await new Promise<void>((resolve) => {
    client.on("data", () => {
      trips++;
      if (stopped()) client.end(() => resolve());
      else client.write("x");
    });
    client.write("x");
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return trips;
}

/**
 * Counts host timers while `body` runs: how many were made, how many existed at once, the longest
 * delay.
 */
async function countTimers(
  body: () => Promise<unknown>,
): Promise<Record<"made" | "atOnce" | "longest", number>> {
  const globals = globalThis as unknown as {
    setTimeout: (callback: () => void, delay?: number) => unknown;
    clearTimeout: (id: unknown) => void;
  };
  const { setTimeout, clearTimeout } = globals;
  const pending = new Set<unknown>();
  const counts = { made: 0, atOnce: 0, longest: 0 };
  globals.setTimeout = (callback, delay = 0) => {
    const id = setTimeout(() => {
      pending.delete(id);
      callback();
    }, delay);
    pending.add(id);
    counts.made++;
    counts.atOnce = Math.max(counts.atOnce, pending.size);
    counts.longest = Math.max(counts.longest, delay);
    return id;
  };
  globals.clearTimeout = (id) => {
    pending.delete(id);
    clearTimeout(id);
  };
  try {
    await body();
  } finally {
    Object.assign(globals, { setTimeout, clearTimeout });
  }
  return counts;
}

/**
 * R35: the AsyncLocalStorage stores that tasks see, at their start and after each kind of wake-up.
 */
async function contexts(
  options: ConstructorParameters<typeof Loop>[0],
): Promise<Record<string, unknown[]>> {
  const storage = new AsyncLocalStorage<string>();
  const loop = new Loop(options);
  const task: unknown[] = [];
  const child: unknown[] = [];
  const guest: unknown[] = [];
  let resume!: () => void;
  function* main(): Coroutine {
    task.push(storage.getStore());
    yield* suspend<void>((r) => void (resume = r));
    task.push(storage.getStore());
    yield* until(storage.run("promise", () => new Promise<void>((r) => setTimeout(r, 1))));
    task.push(storage.getStore());
    yield* sleep(0.001);
    task.push(storage.getStore());
    yield* Nursery.open(function* (nursery) {
      storage.run("parent", () =>
        nursery.startSoon(function* (): Coroutine {
          child.push(storage.getStore());
          yield* checkpoint();
          child.push(storage.getStore());
        }()));
    });
    task.push(storage.getStore());
  }
  storage.run("starter", () => loop.startSoon(main()));
  const running = storage.run("run", () => loop.run());
  await storage.run("waker", async () => {
    await new Promise((r) => setTimeout(r, 5));
    loop.startSoon(function* (): Coroutine {
      guest.push(storage.getStore());
    }());
    resume();
  });
  await running;
  return { task, child, guest };
}

/** By how much the earliest of some sleeps was late, in milliseconds: never negative. */
async function punctuality(): Promise<number> {
  let least = Infinity;
  await new Loop().run(function* (): Coroutine {
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      yield* sleep({ milliseconds: 5 + i / 7 });
      least = Math.min(least, performance.now() - start - (5 + i / 7));
    }
  }());
  return least;
}

/** Everything, as one record. */
export async function measure(): Promise<Measurements> {
  return {
    starvedByCheckpoints: await starvation(checkpoint),
    starvedByPromises: await starvation(() => until(Promise.resolve())),
    starvedBySleeps: await starvation(() => sleep(0)),
    million: await countTimers(() =>
      new Loop().run(Nursery.open(function* (nursery) {
        for (let i = 0; i < 1_000_000; i++) nursery.startSoon(sleep(1000 + i));
        for (let i = 0; i < 5; i++) yield* sleep(0.01);
        nursery.cancel();
      }))
    ),
    longSleep: await countTimers(() => new Loop().run(race([sleep({ days: 60 }), sleep(0.02)]))),
    contextOfRun: await contexts({}),
    contextOfRunOnVirtualClock: await contexts({ host: new VirtualClock({ autojump: "always" }) }),
    contextOfStarter: await contexts({ asyncContext: true }),
    punctuality: await punctuality(),
  };
}

/** What `measure` gives. */
export interface Measurements {
  starvedByCheckpoints: { ticks: number; trips: number };
  starvedByPromises: { ticks: number; trips: number };
  starvedBySleeps: { ticks: number; trips: number };
  million: { made: number; atOnce: number; longest: number };
  longSleep: { made: number; atOnce: number; longest: number };
  contextOfRun: Record<string, unknown[]>;
  contextOfRunOnVirtualClock: Record<string, unknown[]>;
  contextOfStarter: Record<string, unknown[]>;
  punctuality: number;
}
