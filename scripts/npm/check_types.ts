/**
 * Type-checks consumers against the shipped types, without `skipLibCheck`, and has publint and attw
 * look at the package.
 *
 * Invariant: every door is imported by an ES module and by CommonJS; wrong code is an error, so
 * types are not `any`.
 */
import { run, writeFile } from "./files.ts";
import { programs } from "./check_programs.ts";
import { doors, FOLDER, importName } from "./manifest.ts";
import type { Sandbox } from "./sandbox.ts";

/** What one consumer has that others have not. */
interface Project {
  readonly name: string;
  readonly typescript: "typescript-new" | "typescript-old";
  readonly options: Record<string, unknown>;
}

const NODE = { lib: ["ES2022"], types: ["node"] };
const BROWSER = { lib: ["ES2022", "DOM"], types: [] };
const NODENEXT = { module: "nodenext", moduleResolution: "nodenext" };
const BUNDLER = { module: "esnext", moduleResolution: "bundler", noEmit: true };

const PROJECTS: readonly Project[] = (["typescript-new", "typescript-old"] as const)
  .flatMap((typescript) => [
    { name: "nodenext, ES2022, Node", typescript, options: { ...NODENEXT, ...NODE } },
    { name: "bundler, ES2022, Node", typescript, options: { ...BUNDLER, ...NODE } },
    { name: "nodenext, ES2022, DOM", typescript, options: { ...NODENEXT, ...BROWSER } },
    { name: "bundler, ES2022, DOM", typescript, options: { ...BUNDLER, ...BROWSER } },
  ]);

/** Lines that must be errors. If all types were `any`, none would be. */
const WRONG = `
import { type Coroutine, Loop, sleep } from "@broomio/core";
import { VirtualClock } from "@broomio/core/testing";
function* main(): Coroutine<number> {
  yield* sleep(1);
  return 1;
}
const loop = new Loop({ host: new VirtualClock() });
const right: number = await loop.run(main());
// @ts-expect-error -- a number
const wrong: string = await loop.run(main());
// @ts-expect-error -- no such order
new Loop({ executionOrder: "sorted" });
// @ts-expect-error -- no such member
loop.startLater(main());
console.log(right, wrong);
`;

/** Checks all projects; gives a line for each, and throws where one does not check. */
export async function checkTypes(sandbox: Sandbox): Promise<string[]> {
  const lines: string[] = [];
  for (const [index, { name, typescript, options }] of PROJECTS.entries()) {
    const folder = `${sandbox.folder}/types-${index}`;
    const node = (options["types"] as string[]).includes("node");
    const commonJs = options["module"] === "nodenext";
    for (const program of programs()) {
      const source = program.source(".mjs");
      if (node || !source.includes('"node:')) writeFile(`${folder}/${program.name}.mts`, source);
    }
    writeFile(`${folder}/wrong.mts`, WRONG);
    writeFile(
      `${folder}/doors.mts`,
      doors.map((door, i) => `export * as door${i} from "${importName(door)}";\n`).join(""),
    );
    if (commonJs) {
      const requires = doors.map((door, i) =>
        `import door${i} = require("${importName(door)}");\n`
      );
      const uses = doors.map((_, i) => `door${i}`);
      writeFile(`${folder}/doors.cts`, `${requires.join("")}export = [${uses.join(", ")}];\n`);
    }
    const compilerOptions = { ...STRICT, ...options };
    writeFile(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["*"] }));
    const tsc = `${sandbox.folder}/node_modules/${typescript}/bin/tsc`;
    await run("node", [tsc, "-p", "."], { cwd: folder });
    const version = (await run("node", [tsc, "--version"], { cwd: folder })).trim();
    lines.push(`${version}: ${name}`);
  }
  return lines;
}

const STRICT = {
  strict: true,
  target: "es2022",
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
};

/** Has publint and attw look at the tarball; throws where either reports something. */
export async function checkManifest(sandbox: Sandbox): Promise<string[]> {
  const bin = (name: string) => `${sandbox.folder}/node_modules/.bin/${name}`;
  const options = { cwd: sandbox.folder };
  const said = await run(bin("publint"), ["--strict", sandbox.tarball], options);
  if (!said.includes("All good!")) throw new Error(said);
  // The rule takes what esbuild writes for `export default` to set `module.exports` itself too; check_lint.ts requires that door.
  const ignored = ["--ignore-rules", "missing-export-equals"];
  await run(bin("attw"), ["--no-color", sandbox.tarball, ...ignored], options);
  return [`publint and attw report nothing on what is in ${FOLDER}/`];
}
