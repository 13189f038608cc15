/**
 * Builds the npm package into `npm/`: `deno task npm`.
 *
 * With dnt. Where that cannot be downloaded, it says so and builds with `deno pack` instead;
 * `--require-dnt`, which a release uses, makes that an error. Both give the same layout
 * (`npm/manifest.ts`), and are completed and checked (`npm/finish.ts`); `deno task npm:check` then
 * tests the package.
 */
import { listFiles, removeFolder, top } from "./npm/files.ts";
import { finish } from "./npm/finish.ts";
import { doors, FOLDER } from "./npm/manifest.ts";
import { buildWithDnt, loadDnt } from "./npm/with_dnt.ts";
import { buildWithPack } from "./npm/with_pack.ts";

/** Builds, finishes, and gives what is wrong. */
async function build(requireDnt: boolean): Promise<string[]> {
  removeFolder(top + FOLDER);
  const dnt = await loadDnt();
  if (typeof dnt !== "string") {
    await buildWithDnt(dnt);
  } else if (requireDnt) {
    return [dnt];
  } else {
    console.log(`${dnt}; building with deno pack and esbuild instead`);
    await buildWithPack();
  }
  const problems = await finish();
  const builder = typeof dnt === "string" ? "deno pack" : "dnt";
  const count = listFiles(top + FOLDER).length;
  console.log(
    `npm: built with ${builder}, ${count} files, doors ${doors.map((each) => each.name).join(" ")}`,
  );
  return problems;
}

if (import.meta.main) {
  Deno.chdir(top);
  const problems = await build(Deno.args.includes("--require-dnt"));
  for (const problem of problems) console.error(problem);
  Deno.exit(problems.length > 0 ? 1 : 0); // esbuild's process would keep this one alive
}
