/**
 * Runs `deno doc --lint` on every door of the package.
 *
 * Invariant: the doors are those that `deno.json` exports, so none can be forgotten.
 */
import config from "../deno.json" with { type: "json" };

const { code } = new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", "--quiet", ...Object.values(config.exports)],
  cwd: new URL("../", import.meta.url),
  stdout: "null", // the documentation itself
  stderr: "inherit",
}).outputSync();
Deno.exit(code);
