/** Rule R36: what of a stack is a coroutine's own. */
import { assertEquals } from "@std/assert";
import { coroutineFrames } from "../../src/kernel/stack.ts";

Deno.test("R36: the loop's frames are left out of a stack", () => {
  const own = [
    "    at reader (file:///app/main.js:64:21)",
    "    at main (file:///app/main.js:9:3)",
  ];
  for (const step of ["resumeTask", "driveTask", "stepTask", "runBatch"]) {
    const loop = [`    at ${step} (file:///app/scheduler.js:219:29)`, "    at turn (native:1:11)"];
    assertEquals(coroutineFrames([...own, ...loop]), own, step);
  }
});

Deno.test("R36: a function of the user's that is called step stays in a stack", () => {
  const own = ["    at step (file:///app/main.js:64:21)", "    at main (file:///app/main.js:9:3)"];
  assertEquals(coroutineFrames(own), own);
});
