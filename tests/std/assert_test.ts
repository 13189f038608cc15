/** The typed module of assertions: every name it declares is there, and assertions narrow. */
import * as door from "@std/assert";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

Deno.test("assert: every declared name exists", async () => {
  const types = await Deno.readTextFile(new URL("./assert.d.ts", import.meta.url));
  const names = [...types.matchAll(/^export declare (?:function|class) (\w+)/gm)];
  assert(names.length > 20);
  for (const [, name] of names) {
    assertEquals(typeof (door as Record<string, unknown>)[name], "function", name);
  }
});

Deno.test("assert: narrows, so that what follows type-checks", () => {
  const value = Math.random() < 2 ? "text" : undefined;
  assert(value !== undefined);
  assertEquals(value.length, 4);
});

Deno.test("assertThrows and assertRejects give the error, typed", async () => {
  const thrown = assertThrows(() => JSON.parse("{"), SyntaxError);
  assert(thrown.message.length > 0);
  const rejected = await assertRejects(() => Promise.reject(new RangeError("no")), RangeError);
  assertEquals(rejected.message, "no");
});
