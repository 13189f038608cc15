/**
 * The benchmark of the network: our server against what one writes by hand, and Effect's, all in one run on loopback.
 *
 *     deno task bench:net [filter] [--rounds N] [--quick] [--json] [--check] [--only SIDES] [--seconds N]
 *
 * filter        rows whose id contains it, e.g. `http-64`; several: `http,idle`
 * --rounds N    measured rounds of each row, 5 if not given; the order of the sides turns from round to round
 * --quick       3 rounds, 64 connections only
 * --seconds N   length of one measurement, whole seconds, 1 if not given
 * --json        one JSON object instead of the table, every sample in it
 * --check       exit code 1 if a bar is missed
 * --only SIDES  e.g. `ours-deno,async-deno`
 *
 * The load comes from wrk where that is installed (`apt-get install wrk`). Ratios are ours by theirs in requests a second, each
 * quotient taken within one round: figures of different runs do not compare.
 */

import { median, medianRatio } from "../measure.ts";
import { bundleForNode, commandLine, note, print, runtimeName, setExitCode } from "../runtime.ts";
import { figure, mark } from "../table.ts";
import { hasWrk, type NetRow, runLoad } from "./load.ts";
import { Companion } from "./processes.ts";
import { extraRows, measureExtra } from "./extra.ts";
import { certificates } from "../../../tests/support/certificates.ts";
import { barOf, canServe, launcherOf, netRows, oursIn, type Side, sides } from "./sides.ts";
import { isSecure } from "./wire.ts";

interface NetOptions {
  filter: readonly string[];
  rounds: number;
  seconds: number;
  quick: boolean;
  json: boolean;
  check: boolean;
  only: readonly string[];
}

function readOptions(words: readonly string[]): NetOptions {
  const options: NetOptions = {
    filter: [],
    rounds: 5,
    seconds: 1,
    quick: false,
    json: false,
    check: false,
    only: sides.map(({ id }) => id),
  };
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--quick") Object.assign(options, { quick: true, rounds: 3 });
    else if (word === "--json") options.json = true;
    else if (word === "--check") options.check = true;
    else if (word === "--rounds") options.rounds = Number(rest.shift());
    else if (word === "--seconds") options.seconds = Number(rest.shift());
    else if (word === "--only") options.only = rest.shift()?.split(",") ?? [];
    else if (word.startsWith("-")) {
      throw new TypeError(`Unknown option ${word}: see the top of scripts/bench/net/main.ts`);
    } else options.filter = word.split(",");
  }
  for (const name of ["rounds", "seconds"] as const) {
    if (!Number.isInteger(options[name]) || options[name] < 1) {
      throw new RangeError(`--${name} wants a whole number of at least 1`);
    }
  }
  const unknown = options.only.find((id) => !sides.some((side) => side.id === id));
  if (unknown !== undefined) {
    throw new TypeError(`Unknown side ${unknown}: ${sides.map(({ id }) => id).join(", ")}`);
  }
  return options;
}

/** What was found for one side of one row. */
interface Cell {
  readonly side: string;
  /** Requests a second, by round. */
  readonly rates: number[];
  /** Microseconds of the server's processor time for each request, by round. */
  readonly costs: number[];
  errors: number;
  failure?: string;
}

/** Measures one row: every side in every round, each server a process of its own. */
async function measureRow(
  row: NetRow,
  wanted: readonly Side[],
  start: (side: Side) => Companion,
  options: NetOptions & { wrk: boolean },
): Promise<Cell[]> {
  const cells: Cell[] = wanted.map(({ id }) => ({ side: id, rates: [], costs: [], errors: 0 }));
  const servers = wanted.map((side) => start(side));
  try {
    const ports = await Promise.all(servers.map(async (server, index) => {
      try {
        return Number(await server.line());
      } catch (error) {
        cells[index].failure = String(error);
        return 0;
      }
    }));
    for (let round = -1; round < options.rounds; round++) {
      for (let place = 0; place < wanted.length; place++) {
        const index = (place + round + 1) % wanted.length;
        const cell = cells[index];
        if (cell.failure !== undefined) continue;
        const before = servers[index].cpu;
        // To open a thousand connections takes a tenth of a second or two, which is not what the row is about.
        const seconds = options.seconds * (row.connections >= 1000 ? 4 : 1);
        const load = await runLoad(row, ports[index], seconds, options.wrk);
        if (load.requests === 0) cell.failure = "no request was answered in time";
        if (round < 0 || load.requests === 0) continue; // at first the engine warms up
        cell.errors += load.errors;
        cell.rates.push(load.requests / load.seconds);
        cell.costs.push((servers[index].cpu - before) * 1e6 / load.requests);
      }
    }
  } finally {
    for (const server of servers) server.kill();
  }
  return cells;
}

interface Verdict {
  readonly ratio?: number;
  readonly cpu?: number;
  readonly bar?: number;
  readonly ok?: boolean;
}

function judge(side: Side, row: NetRow, cells: readonly Cell[]): Verdict {
  const { against } = side;
  const [our, their] = against === undefined
    ? [oursIn(side.runtime), side.id]
    : [side.id, against.id];
  const theirs = cells.find((cell) => cell.side === their);
  const ours = cells.find((cell) => cell.side === our);
  if (theirs === undefined) return {};
  if (ours === undefined || ours === theirs || ours.failure || theirs.failure) return {};
  const ratio = medianRatio(ours.rates, theirs.rates);
  const cpu = medianRatio(ours.costs, theirs.costs);
  const bar = against?.bar ?? barOf(side, row);
  return { ratio, cpu, bar, ok: bar === undefined ? undefined : ratio >= bar };
}

function rowLine(side: Side, cell: Cell, { ratio, cpu, bar, ok }: Verdict): string {
  const title = `  ${side.title}`.padEnd(36);
  if (cell.failure !== undefined) return `${title} ${cell.failure}`;
  let line = title + Math.round(median(cell.rates)).toLocaleString("en").padStart(10) +
    `${figure(median(cell.costs))} us`.padStart(12);
  if (ratio !== undefined) {
    line += `${ratio.toFixed(2)}x`.padStart(10) + `${cpu!.toFixed(2)}x`.padStart(8);
  }
  if (bar !== undefined && ratio !== undefined) line += `  (${bar}) ${mark(ok!)}`;
  if (cell.errors > 0) line += `  ${cell.errors} errors`;
  return line;
}

let folder: string | undefined;

/** A folder with a certificate and its key, made when it is first wanted. */
function identityFolder(): string {
  if (folder === undefined) {
    folder = Deno.makeTempDirSync({ prefix: "broomio-bench-" });
    const { localhost } = certificates();
    Deno.writeTextFileSync(`${folder}/cert.pem`, localhost.cert);
    Deno.writeTextFileSync(`${folder}/key.pem`, localhost.key);
  }
  return folder;
}

async function main(): Promise<void> {
  const options = readOptions(commandLine);
  const matches = ({ id }: { id: string }) =>
    options.filter.length === 0 || options.filter.some((part) => id.includes(part));
  const rows = netRows.filter((row) => matches(row) && (!options.quick || row.connections === 64));
  const extras = extraRows.filter(matches);
  if (rows.length + extras.length === 0) {
    const ids = [...netRows, ...extraRows].map(({ id }) => id);
    throw new TypeError(`No such row. There are: ${ids.join(", ")}`);
  }
  const wrk = await hasWrk();
  const say = (text: string) => options.json || print(text);
  const bundle = await bundleForNode([new URL("./server.ts", import.meta.url)]);
  const verdicts: boolean[] = [];
  const results: unknown[] = [];
  try {
    if (!wrk) note("No wrk here: the load comes from a client of our own\n");
    say(`${runtimeName}; load by ${wrk ? "wrk" : "client.ts"}; ${options.rounds} rounds, medians`);
    const wanted = sides.filter(({ id }) => options.only.includes(id));
    for (const row of rows) {
      const here = wanted.filter((side) => canServe(side, row));
      const more = isSecure(row.service) ? [identityFolder()] : [];
      const start = (side: Side) =>
        new Companion(launcherOf(side, bundle.files[0]), [side.server, row.service, ...more]);
      const cells = await measureRow(row, here, start, { ...options, wrk });
      say(
        `\n${row.title.padEnd(36)}${"requests/s".padStart(10)}${"CPU each".padStart(12)}` +
          `${"ours by".padStart(10)}${"CPU".padStart(8)}  (bar)`,
      );
      for (const side of here) {
        const verdict = judge(side, row, cells);
        if (verdict.ok !== undefined) verdicts.push(verdict.ok);
        say(rowLine(side, cells.find((cell) => cell.side === side.id)!, verdict));
      }
      results.push({ row: row.id, cells });
    }
    for (const row of extras) {
      say(`\n${row.title}`);
      for (const side of wanted) {
        if (side.only !== undefined || side.server === "effect" || side.can === "tls") continue;
        const launcher = launcherOf(side, bundle.files[0]);
        const found = await measureExtra(row, () => new Companion(launcher, [side.server, "echo"]))
          .catch((error) => ({ text: String(error), ok: false }));
        if (side.server === "broomio") verdicts.push(found.ok);
        say(`  ${side.title.padEnd(34)}${found.text}  ${mark(found.ok)}`);
        results.push({ row: row.id, side: side.id, ...found });
      }
    }
  } finally {
    bundle.remove();
    if (folder !== undefined) Deno.removeSync(folder, { recursive: true });
  }
  const missed = verdicts.filter((ok) => !ok).length;
  say(`\n${verdicts.length} bars measured, ${missed} missed${missed === 0 ? "" : ": see OVER"}.`);
  if (options.json) print(JSON.stringify({ rounds: options.rounds, missed, results }));
  if (options.check && missed > 0) setExitCode(1);
}

await main();
