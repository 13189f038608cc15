/**
 * What the types of the package cost a consumer who checks the README's program.
 *
 * Invariant: what is guarded does not depend on the machine: how many types the compiler
 * instantiates for it, and its time against that for an empty program in the same run.
 */
import { readmeProgram } from "./check_programs.ts";
import { run, writeFile } from "./files.ts";
import type { Sandbox } from "./sandbox.ts";

/** The most time, against an empty program. */
const TIME_LIMIT = 2;

/** The most instantiations of types more than an empty program needs. */
const INSTANTIATIONS_LIMIT = 400;

/** The shortest of so many runs counts. */
const RUNS = 3;

/** As projects have them: `tsc --init` sets `skipLibCheck` too. */
const COMPILER_OPTIONS = {
  strict: true,
  target: "es2022",
  noEmit: true,
  skipLibCheck: true,
  module: "nodenext",
  moduleResolution: "nodenext",
  lib: ["ES2022", "DOM"],
  types: [],
};

/** What the compiler says of itself. */
interface Cost {
  /** Seconds. */
  readonly time: number;
  readonly instantiations: number;
}

/** Compiles once. */
async function compile(tsc: string, folder: string): Promise<Cost> {
  const said = await run("node", [tsc, "-p", ".", "--extendedDiagnostics"], { cwd: folder });
  const value = (name: string) => {
    const found = new RegExp(`^${name}:\\s*([\\d.]+)`, "m").exec(said);
    if (found === null) throw new Error(`The compiler did not print "${name}":\n${said}`);
    return Number(found[1]);
  };
  return { time: value("Total time"), instantiations: value("Instantiations") };
}

function cheapest(costs: readonly Cost[]): Cost {
  return costs.reduce((best, cost) => cost.time < best.time ? cost : best);
}

/** Gives a line for each compiler, and throws where a program costs more than it may. */
export async function checkTypeTime({ folder }: Sandbox): Promise<string[]> {
  const sources = { program: readmeProgram().source(".mjs"), empty: "export {};\n" };
  const lines: string[] = [];
  for (const typescript of ["typescript-new", "typescript-old"]) {
    const tsc = `${folder}/node_modules/${typescript}/bin/tsc`;
    const costs: Record<keyof typeof sources, Cost[]> = { program: [], empty: [] };
    for (const [name, source] of Object.entries(sources)) {
      const compilerOptions = JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ["*"] });
      writeFile(`${folder}/type-time-${name}/main.mts`, source);
      writeFile(`${folder}/type-time-${name}/tsconfig.json`, compilerOptions);
    }
    for (let turn = 0; turn < RUNS; turn++) {
      for (const name of ["program", "empty"] as const) {
        costs[name].push(await compile(tsc, `${folder}/type-time-${name}`));
      }
    }
    const [program, empty] = [cheapest(costs.program), cheapest(costs.empty)];
    const ratio = program.time / empty.time;
    const more = program.instantiations - empty.instantiations;
    const version = (await run("node", [tsc, "--version"], { cwd: folder })).trim();
    const line =
      `${version}: the README's program in ${program.time} s, ${ratio.toFixed(2)} times ` +
      `that of an empty one, at most ${TIME_LIMIT}; ${more} instantiations more, ` +
      `at most ${INSTANTIATIONS_LIMIT}`;
    if (ratio > TIME_LIMIT || more > INSTANTIATIONS_LIMIT) throw new Error(line);
    lines.push(line);
  }
  return lines;
}
