/**
 * The benchmark of HTTP handlers: a coroutine against async functions in the same server, all in one run on loopback.
 *
 *     deno task bench:http [filter] [--rounds N] [--seconds N] [--json] [--check]
 *
 * filter        places whose id contains it: deno, hono-deno, node, hono-node
 * --rounds N    measured rounds of each place, 5 if not given; the order of the sides turns from round to round
 * --seconds N   length of one measurement, whole seconds, 1 if not given
 * --json        one JSON object instead of the table, every sample in it
 * --check       exit code 1 if a bar is missed
 *
 * 64 connections. The bars are those of DESIGN section 6: requests a second against the handler that listens for the client's going,
 * processor time against the bare one. Ratios are medians of the quotients of each round: figures of different runs do not compare.
 */
import { median, medianRatio } from "../measure.ts";
import {
  bundleForNode,
  commandLine,
  type Launcher,
  nodeRuntime,
  note,
  print,
  runChild,
  runtimeName,
  sameRuntime,
  setExitCode,
} from "../runtime.ts";
import { figure, mark } from "../table.ts";
import { Companion } from "../net/processes.ts";

interface Place {
  readonly id: string;
  readonly title: string;
  readonly runtime: "deno" | "node";
  /** At least so many times the requests a second of the listening handler. */
  readonly rateBar?: number;
  /** At most so many times the processor time of the bare handler. */
  readonly cpuBar?: number;
}

const places: readonly Place[] = [
  { id: "deno", title: "Deno.serve", runtime: "deno", rateBar: 2, cpuBar: 1.4 },
  { id: "hono-deno", title: "Hono on Deno.serve", runtime: "deno", rateBar: 2, cpuBar: 1.4 },
  { id: "node", title: "node:http", runtime: "node", rateBar: 1.2, cpuBar: 1.2 },
  { id: "hono-node", title: "Hono on node:http", runtime: "node", cpuBar: 1.2 },
];
const sides = ["bare", "listening", "ours"] as const;

interface Samples {
  /** Requests a second, by round. */
  readonly rates: number[];
  /** Microseconds of the server's processor time for each request, by round. */
  readonly costs: number[];
}

async function load(port: number, seconds: number): Promise<{ requests: number; seconds: number }> {
  const leading = `-t 1 -c 64 -d ${seconds}s http://127.0.0.1:${port}/`.split(" ");
  const said = await runChild({ program: "wrk", leading }, []);
  const done = said.match(/(\d+) requests in ([\d.]+)s,/);
  if (done === null || /Non-2xx|Socket errors/.test(said)) throw new Error(`wrk said: ${said}`);
  return { requests: Number(done[1]), seconds: Number(done[2]) };
}

/** Measures one place: every side in every round, each server a process of its own. */
async function measure(
  launcher: Launcher,
  place: Place,
  rounds: number,
  seconds: number,
): Promise<Record<string, Samples>> {
  const found: Record<string, Samples> = {};
  const servers = sides.map((side) => new Companion(launcher, [place.id, side]));
  try {
    const ports = await Promise.all(servers.map(async (server) => Number(await server.line())));
    for (let round = -1; round < rounds; round++) { // at first the engine warms up
      for (let step = 0; step < sides.length; step++) {
        const index = (step + round + 1) % sides.length;
        const before = servers[index].cpu;
        const done = await load(ports[index], seconds);
        if (round < 0) continue;
        const samples = found[sides[index]] ??= { rates: [], costs: [] };
        samples.rates.push(done.requests / done.seconds);
        samples.costs.push((servers[index].cpu - before) * 1e6 / done.requests);
      }
    }
  } finally {
    for (const server of servers) server.kill();
  }
  return found;
}

/** The table of one place; gives whether its bars are met. */
function show(place: Place, found: Record<string, Samples>, say: (text: string) => void): boolean {
  const { ours } = found;
  say(`\n${place.title.padEnd(22)}requests/s    CPU each    ours by       CPU`);
  let met = true;
  for (const side of sides) {
    const { rates, costs } = found[side];
    let line =
      `  ${side.padEnd(18)}${Math.round(median(rates)).toLocaleString("en").padStart(12)}` +
      `${figure(median(costs))} us`.padStart(12);
    if (side !== "ours") {
      const rate = medianRatio(ours.rates, rates);
      const cpu = medianRatio(ours.costs, costs);
      line += `${rate.toFixed(2)}x`.padStart(11) + `${cpu.toFixed(2)}x`.padStart(10);
      const bar = side === "bare" ? place.cpuBar : place.rateBar;
      if (bar !== undefined) {
        const ok = side === "bare" ? cpu <= bar : rate >= bar;
        met &&= ok;
        line += `  (${side === "bare" ? "CPU at most" : "at least"} ${bar}) ${mark(ok)}`;
      }
    }
    say(line);
  }
  return met;
}

async function main(): Promise<void> {
  const options = { filter: "", rounds: 5, seconds: 1, json: false, check: false };
  const rest = [...commandLine];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--json" || word === "--check") options[word.slice(2) as "json"] = true;
    else if (word === "--rounds" || word === "--seconds") {
      options[word.slice(2) as "rounds"] = Number(rest.shift());
    } else if (word.startsWith("-")) {
      throw new TypeError(`Unknown option ${word}: see the top of scripts/bench/http/main.ts`);
    } else options.filter = word;
  }
  const chosen = places.filter(({ id }) => options.filter === "" || id.includes(options.filter));
  if (chosen.length === 0) throw new TypeError(`No such place: ${places.map(({ id }) => id)}`);
  await runChild({ program: "sh", leading: ["-c", "command -v wrk"] }, []).catch(() => {
    throw new Error("wrk is not installed: apt-get install wrk");
  });
  const script = new URL("./server.ts", import.meta.url);
  const bundle = await bundleForNode([script]);
  const say = (text: string) => options.json || print(text);
  const results: unknown[] = [];
  let met = true;
  try {
    say(
      `${runtimeName}; 64 connections; ${options.rounds} rounds of ${options.seconds} s, medians`,
    );
    for (const place of chosen) {
      const launcher = place.runtime === "deno"
        ? sameRuntime(script)
        : nodeRuntime("node", bundle.files[0]);
      const found = await measure(launcher, place, options.rounds, options.seconds);
      if (!show(place, found, say)) met = false;
      results.push({ place: place.id, sides: found });
    }
  } finally {
    bundle.remove();
  }
  if (options.json) print(JSON.stringify(results));
  if (!met) note("\nA bar was missed\n");
  if (!met && options.check) setExitCode(1);
}

await main();
