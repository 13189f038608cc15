/**
 * Runs converted tests on Node and Bun: `node runner.mjs "node 20 esm" <file>...`
 *
 * Instead of `Deno` a test gets what is defined here, and no more. It is not a global, because the
 * package must not take it for the real one. One test after the other, each with a time limit and a
 * second try. The last line it prints is a {@linkcode Summary}; where that is missing, the runtime
 * ended early, as Node does when nothing is left that could settle a promise.
 */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { skipOf } from "./skips.ts";

/** The outcome of all tests. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** The tests that failed, twice. */
  readonly failures: readonly string[];
  /** How many tests each entry of `SKIPS` left out. */
  readonly skipped: Readonly<Record<number, number>>;
  /** How many tests are marked as not for this runtime. */
  readonly ignored: readonly string[];
  /**
   * The tests that failed the first time. They measure time on a machine that may be busy.
   */
  readonly retried: readonly string[];
  /** How many tests were left out because they use this of `Deno`. */
  readonly needing: Readonly<Record<string, number>>;
}

/** How long a test may take, in milliseconds. */
const LIMIT = 60_000;

interface Context {
  step(name: string, fn: Body): Promise<boolean>;
}

type Body = (context: Context) => unknown;

interface Test {
  readonly name: string;
  readonly fn: Body;
  readonly ignore?: boolean;
}

const context: Context = {
  async step(_name: string, fn: Body): Promise<boolean> {
    await fn(context);
    return true;
  },
};

class NotFound extends Error {}

let tests: Test[] = [];

/** `Deno.test`, in all its forms. */
function test(first: string | Test | Body, second?: Body | Partial<Test>, third?: Body): void {
  const options = typeof first === "object" ? first : typeof second === "object" ? second : {};
  const fn = [first, second, third].find((each) => typeof each === "function") as Body | undefined;
  const given = { name: typeof first === "string" ? first : fn?.name, fn, ...options };
  if (!given.name || !given.fn) throw new TypeError("Deno.test wants a name and a function");
  tests.push(given as Test);
}
test.ignore = (name: string, fn: Body) => test({ name, fn, ignore: true });

/** What tests use of `Deno`, beside `Deno.test`. */
const deno: Record<string, unknown> = {
  test,
  pid: process.pid,
  env: { get: (name: string) => process.env[name] },
  execPath: () => process.execPath,
  inspect: (value: unknown) => inspect(value),
  lstatSync(path: string) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw new NotFound(path);
    return { isSocket: found.isSocket() };
  },
  readTextFileSync: (path: string) => readFileSync(path, "utf8"),
  writeTextFileSync: writeFileSync,
  removeSync: rmSync,
  errors: { NotFound },
  Command: class {
    readonly #run: () => SpawnSyncReturns<Uint8Array>;

    constructor(program: string, options: { args?: string[] } = {}) {
      this.#run = () => spawnSync(program, options.args ?? []);
    }

    spawn(): never {
      return lack("Command.spawn");
    }

    output(): never {
      return lack("Command.output");
    }

    outputSync(): { success: boolean; stdout: Uint8Array } {
      const { status, stdout } = this.#run();
      return { success: status === 0, stdout };
    }
  },
};

async function within<T>(limit: number, work: unknown): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${limit / 1000} s`)), limit);
  });
  try {
    return await Promise.race([work as T, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a test once; prints what is wrong, and gives whether it passed. */
async function attempt(fn: Body): Promise<boolean> {
  missing = undefined;
  try {
    await within(LIMIT, fn(context));
    return true;
  } catch (error) {
    if (!missing) console.error(`FAILED ${current}\n`, error);
    return false;
  }
}

/**
 * What the running test needed of `Deno` and is missing here: the test is left out, and that is
 * printed.
 */
let missing: string | undefined;

function lack(name: string): never {
  missing = name;
  throw new Error(`Deno.${name} is not in scripts/npm/runner.ts`);
}

async function main(runtime: string, files: readonly string[]): Promise<Summary> {
  const skipped: Record<number, number> = {};
  const ignored: string[] = [];
  const retried: string[] = [];
  const needing: Record<string, number> = {};
  let passed = 0;
  const failures: string[] = [];
  for (const file of files) {
    const source = file.replace(/^.*\/suite-\w+\//, "").replace(/\.\w+$/, ".ts");
    tests = [];
    current = source;
    await import(pathToFileURL(file).href);
    for (const { name, fn, ignore } of tests) {
      current = `${source}: ${name}`;
      const skip = skipOf(source, name, runtime);
      if (skip >= 0) skipped[skip] = (skipped[skip] ?? 0) + 1;
      else if (ignore) ignored.push(current);
      else {
        const passes = await attempt(fn);
        if (!passes && missing) {
          needing[missing] = (needing[missing] ?? 0) + 1;
          continue;
        }
        if (passes || await attempt(fn)) passed++;
        else failures.push(current);
        if (!passes) retried.push(current);
      }
    }
  }
  const failed = failures.length;
  return { passed, failed, failures, skipped, ignored, retried, needing };
}

/** Newer than Node 20, as `Promise.withResolvers` is, and handy in tests. */
async function fromAsync<T>(values: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = [];
  for await (const value of values) array.push(value);
  return array;
}

let current = "";
let done = false;
Promise.withResolvers ??= function <T>(): PromiseWithResolvers<T> {
  const parts = {} as PromiseWithResolvers<T>;
  parts.promise = new Promise<T>((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
} as typeof Promise.withResolvers;
Array.fromAsync ??= fromAsync as typeof Array.fromAsync;
Object.assign(globalThis, {
  [Symbol.for("broomio.deno")]: new Proxy(deno, {
    get(target, name) {
      if (name in target) return target[name as string];
      return lack(String(name));
    },
  }),
});
process.on("exit", () => {
  if (!done) console.error(`The runtime ended in ${current}`);
});
process.on("unhandledRejection", (error) => {
  console.error(`Unhandled rejection in ${current}\n`, error);
  process.exit(1);
});

const [runtime, ...files] = process.argv.slice(2);
const summary = await main(runtime!, files);
done = true;
process.stdout.write(
  `${JSON.stringify(summary)}\n`,
  () => process.exit(summary.failed > 0 ? 1 : 0),
);
