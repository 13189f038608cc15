/** The options of the benchmark's command line; what they mean stands in `main.ts`. */

import { toSpecifier } from "./runtime.ts";
import { type SideName, sideNames } from "./row.ts";

export interface Options {
  readonly filter: readonly string[];
  readonly rounds: number;
  /** In how many fresh processes ours and plain functions are measured, one after the other. */
  readonly processes: number;
  /** Rows with a bar only, and no million of anything. */
  readonly quick: boolean;
  readonly json: boolean;
  readonly cpu: boolean;
  readonly check: boolean;
  readonly lib: string;
  /** An older version of the library, for the rows that compare with one. */
  readonly old: string | undefined;
  readonly node: string | undefined;
  readonly sides: readonly SideName[];
}

export function readOptions(words: readonly string[]): Options {
  const options: { -readonly [Name in keyof Options]: Options[Name] } = {
    filter: [],
    rounds: 5,
    processes: 3,
    quick: false,
    json: false,
    cpu: false,
    check: false,
    lib: new URL("../../mod.ts", import.meta.url).href,
    old: undefined,
    node: undefined,
    sides: sideNames,
  };
  const rest = [...words];
  const value = (name: string) => {
    const word = rest.shift();
    if (word === undefined) throw new TypeError(`${name} wants a value`);
    return word;
  };
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === "--rounds") options.rounds = Number(value(word));
    else if (word === "--processes") options.processes = Number(value(word));
    else if (word === "--quick") Object.assign(options, { rounds: 3, processes: 1, quick: true });
    else if (word === "--json") options.json = true;
    else if (word === "--cpu") options.cpu = true;
    else if (word === "--check") options.check = true;
    else if (word === "--lib") options.lib = toSpecifier(value(word));
    else if (word === "--old") options.old = toSpecifier(value(word));
    else if (word === "--node") options.node = rest[0]?.includes("/") ? rest.shift()! : "node";
    else if (word === "--only") options.sides = value(word).split(",") as SideName[];
    else if (word.startsWith("-")) {
      throw new TypeError(`Unknown option ${word}: see the top of scripts/bench/main.ts`);
    } else options.filter = word.split(",");
  }
  if (!(options.rounds >= 1)) throw new RangeError("--rounds wants a number of at least 1");
  if (!(Number.isInteger(options.processes) && options.processes >= 1)) {
    throw new RangeError("--processes wants an integer of at least 1");
  }
  const unknown = options.sides.find((side) => !sideNames.includes(side));
  if (unknown !== undefined) {
    throw new TypeError(`Unknown side ${unknown}: ${sideNames.join(", ")}`);
  }
  return options;
}
