/** R35, R43: how the async context is captured: by the documented way of the runtime, and by Deno's internals. */
import * as hooks from "node:async_hooks";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { checkpoint, Portal } from "../../mod.ts";
import { documentedCapture, undocumentedCapture } from "../../src/runtime/async_context.ts";
import { webHost } from "../../src/runtime/web_host.ts";

const storage = new hooks.AsyncLocalStorage<string>();
const captures = [["documented", documentedCapture(hooks)], [
  "undocumented",
  undocumentedCapture(hooks),
]] as const;

for (const [name, captureContext] of captures) {
  if (captureContext === undefined) continue; // not Deno
  Deno.test(`R43: the ${name} way: each run sees its caller's store, and nobody else's`, async () => {
    await using portal = new Portal({ host: { ...webHost, captureContext } });
    function* reader() {
      const seen = [storage.getStore()];
      for (let i = 0; i < 3; i++) {
        yield* checkpoint();
        seen.push(storage.getStore());
      }
      return seen.join();
    }
    const runs = ["a", "b"].map((store) => storage.run(store, () => portal.run(reader)));
    assertEquals(await Promise.all(runs), ["a,a,a,a", "b,b,b,b"]);
    assertEquals(await portal.run(reader), ",,,");
  });

  Deno.test(`R35: the ${name} way: what the function throws comes out, and the context is back`, () => {
    const run = storage.run("captured", captureContext);
    const error = new Error("from inside");
    let caught: unknown;
    storage.run("outer", () => {
      try {
        run(() => {
          throw error;
        });
      } catch (thrown) {
        caught = thrown;
      }
      assertEquals(storage.getStore(), "outer");
    });
    assertStrictEquals(caught, error);
  });
}

Deno.test("R35: internals that do not do what is expected of them are not used", () => {
  class Broken extends hooks.AsyncLocalStorage<unknown> {
    override getStore(): unknown {
      return "something else";
    }
  }
  const broken = { ...hooks, AsyncLocalStorage: Broken } as unknown as typeof hooks;
  assertEquals(undocumentedCapture(broken), undefined);
});
