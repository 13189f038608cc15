/**
 * A folder outside of the repository, into which npm installs the package from its tarball, as for
 * a user.
 *
 * Invariant: the package is installed first and alone, to see that it brings no other package; then
 * what the checks need.
 */
import config from "../../deno.json" with { type: "json" };
import { run, top } from "./files.ts";
import { FOLDER, NAME } from "./manifest.ts";

/** What the checks install from npm, beside what tests import. */
const TOOLS = {
  "@arethetypeswrong/cli": "0.18.5",
  "@types/node": "20",
  esbuild: "0.28.2",
  publint: "0.3.25",
  // TypeScript, the newest and the oldest that understands the types; each under a name of its own.
  "typescript-new": "npm:typescript@7.0.2",
  "typescript-old": "npm:typescript@5.7.3",
};

/** Runtimes from npm: how each is called here, what npm calls it, and where its program is. */
const RUNTIMES: Record<string, { install: [string, string]; program: string }> = {
  node22: { install: ["node22", "npm:node@22"], program: "node_modules/node22/bin/node" },
  node24: { install: ["node24", "npm:node@24"], program: "node_modules/node24/bin/node" },
  bun: { install: ["bun", "1"], program: "node_modules/.bin/bun" },
};

/** Every runtime that can be asked for; "node" is the machine's. */
export const runtimeNames: readonly string[] = ["node", ...Object.keys(RUNTIMES)];

/** A runtime, installed. */
export interface Runtime {
  /** With its version: "node 20.20.2". */
  readonly name: string;
  readonly program: string;
  /** What stands before a script, so that stacks name the sources by the source maps. */
  readonly flags: readonly string[];
}

/** The folder, with everything in it. */
export interface Sandbox {
  readonly folder: string;
  readonly tarball: string;
  /** Where the package is installed. */
  readonly installed: string;
  readonly runtimes: readonly Runtime[];
}

/** Makes the folder: packs `npm/`, installs that, then the tools and runtimes. */
export async function makeSandbox(runtimes: readonly string[]): Promise<Sandbox> {
  const folder = Deno.makeTempDirSync({ prefix: "broomio-npm-" });
  const packed = await run("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: top + FOLDER,
  });
  const tarball = `${folder}/${packed.match(/"filename": "(.*?)"/)![1]}`;

  Deno.writeTextFileSync(`${folder}/package.json`, '{ "private": true }\n');
  const npm = (...args: string[]) =>
    run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...args], {
      cwd: folder,
      timeout: 300,
    });
  await npm(tarball);
  const lock = JSON.parse(Deno.readTextFileSync(`${folder}/package-lock.json`));
  const brought = Object.keys(lock.packages).filter((path) =>
    path !== "" && path !== `node_modules/${NAME}`
  );
  if (brought.length > 0) throw new Error(`the package brings ${brought.join(", ")}`);

  const wanted = runtimes.flatMap((name) => RUNTIMES[name] ? [RUNTIMES[name].install] : []);
  const tests = [
    "deno-std",
    "express",
    "eslint",
    "fast-check",
    "oxlint",
    "@hono/node-server",
    "hono",
    "ws",
  ] as const;
  await npm(
    ...[...Object.entries(TOOLS), ...wanted].map(([name, version]) => `${name}@${version}`),
    ...tests.map((name) => config.imports[name].replace(/^npm:/, "")),
  );
  return {
    folder,
    tarball,
    installed: `${folder}/node_modules/${NAME}`,
    runtimes: await Promise.all(runtimes.map((name) => findRuntime(name, folder))),
  };
}

async function findRuntime(name: string, folder: string): Promise<Runtime> {
  const program = RUNTIMES[name] ? `${folder}/${RUNTIMES[name].program}` : name;
  const version = (await run(program, ["--version"], { cwd: folder })).trim().replace(/^v/, "");
  const node = name.startsWith("node");
  return {
    name: `${node ? "node" : name} ${version}`,
    program,
    flags: node ? ["--enable-source-maps"] : [],
  };
}
