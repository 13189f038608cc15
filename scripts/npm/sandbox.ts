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

/** Runtimes that are checked unless others are asked for; "node" is the machine's. */
export const runtimeNames: readonly string[] = ["node", "node22", "node24", "bun"];

/** A runtime from npm: "node22", "node20.9.0", "bun", "bun1.2". */
interface Source {
  /** What npm installs, under a name of its own. */
  readonly install: string;
  readonly program: string;
}

/** Where a runtime comes from; `undefined` for the machine's Node. */
export function sourceOf(name: string): Source | undefined {
  const [, kind, version] = name.match(/^(node|bun)(\d[\d.]*)?$/) ?? [];
  if (kind === undefined) {
    throw new TypeError(`Expected a runtime such as node, node22 or bun1.2, got ${name}`);
  }
  if (name === "node") return undefined;
  const program = `node_modules/${name}/bin/${kind === "bun" ? "bun.exe" : "node"}`;
  return { install: `${name}@npm:${kind}@${version ?? "1"}`, program };
}

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

  const wanted = runtimes.flatMap((name) => sourceOf(name)?.install ?? []);
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
    ...Object.entries(TOOLS).map(([name, version]) => `${name}@${version}`),
    ...wanted,
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
  const source = sourceOf(name);
  const program = source ? `${folder}/${source.program}` : name;
  const version = (await run(program, ["--version"], { cwd: folder })).trim().replace(/^v/, "");
  const node = name.startsWith("node");
  return {
    name: `${node ? "node" : "bun"} ${version}`,
    program,
    flags: node ? ["--enable-source-maps"] : [],
  };
}
