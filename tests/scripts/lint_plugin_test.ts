/** The lint rule on global names: who may say what, and what only looks like a global. */
import { assertEquals } from "@std/assert";
import plugin from "../../scripts/lint_plugin.ts";

/** The names refused in a source text that stands at `path`. */
function refused(path: string, source: string): string[] {
  const file = new URL(`../../${path}`, import.meta.url).pathname;
  return Deno.lint.runPlugin(plugin, file, source)
    .map((each) => source.slice(each.range[0], each.range[1]));
}

const foreign = "setTimeout(Deno.exit); globalThis.process; type T = AbortSignal;";

Deno.test("names: the core says none from outside the language", () => {
  assertEquals(refused("src/loop.ts", foreign), [
    "setTimeout",
    "Deno",
    "globalThis",
    "AbortSignal",
  ]);
});

Deno.test("names: host and interop say web-standard ones, adapters all, tests what they like", () => {
  assertEquals(refused("src/runtime/web_host.ts", foreign), ["Deno"]);
  assertEquals(refused("src/interop/until.ts", foreign), ["Deno"]);
  assertEquals(refused("src/net/mod.ts", foreign), ["setTimeout", "Deno", "AbortSignal"]);
  assertEquals(refused("src/net/deno/network.ts", foreign), []);
  assertEquals(refused("tests/loop_test.ts", foreign), []);
});

Deno.test("names: a member or a key of that name is not the global", () => {
  const source = "class A { process(): void {} } host.console.log({ Date: 1 }); new A().process();";
  assertEquals(refused("src/loop.ts", source), []);
  assertEquals(refused("src/loop.ts", "f({ process }); a[console];"), ["process", "console"]);
});
