/** The layer check: what it refuses, and what it lets pass. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findProblems, type Import } from "../../scripts/check_layers.ts";

const value = (from: string, to: string): Import => ({ from, to, typeOnly: false });
const type = (from: string, to: string): Import => ({ from, to, typeOnly: true });

const allowed: [string, Import][] = [
  ["a value from an earlier layer", value("src/loop.ts", "src/kernel/task.ts")],
  ["a type from a later layer", type("src/kernel/coroutine.ts", "src/loop.ts")],
  ["a file of its own folder", value("src/sync/lock.ts", "src/sync/parking_lot.ts")],
  ["sync for sockets", value("src/net/tcp.ts", "src/sync/lock.ts")],
  ["its adapter for a door", value("src/net/mod.ts", "src/net/deno/network.ts")],
  [
    "the kernel and operations for every later layer",
    value("src/sync/lock.ts", "src/operations/call.ts"),
  ],
  ["the memory network for tests", value("src/testing/mod.ts", "src/net/network.ts")],
  [
    "an adapter for the files of its own runtime",
    value("src/net/node/network.ts", "src/net/node/internals.ts"),
  ],
  ["node for an adapter", value("src/net/node/network.ts", "node:net")],
  ["anything of the core for the door", value("mod.ts", "src/sync/lock.ts")],
];
for (const [name, each] of allowed) {
  Deno.test(`layers allow ${name}`, () => assertEquals(findProblems([], [each]), []));
}

const refused: [string, Import, string][] = [
  ["a value from a later layer", value("src/kernel/task.ts", "src/loop.ts"), "above"],
  ["a later folder for the core", value("src/loop.ts", "src/sync/lock.ts"), "above"],
  ["operations for the kernel", value("src/kernel/task.ts", "src/operations/call.ts"), "above"],
  ["sockets for the pools", value("src/pool/pool.ts", "src/net/tcp.ts"), "sideways"],
  ["sideways imports", value("src/channel/bounded.ts", "src/sync/lock.ts"), "sideways"],
  ["sideways types", type("src/sync/lock.ts", "src/channel/bounded.ts"), "sideways"],
  ["an adapter from elsewhere", value("src/pool/mod.ts", "src/net/deno/network.ts"), "own folder"],
  [
    "an adapter for an adapter",
    value("src/net/deno/network.ts", "src/net/node/network.ts"),
    "each other",
  ],
  ["node for the core", value("src/loop.ts", "node:timers"), "depends on nothing"],
  ["packages", value("src/net/node/network.ts", "npm:effect@4.1.0"), "depends on nothing"],
  ["another door behind the door", value("mod.ts", "src/net/mod.ts"), "door of its own"],
];
for (const [name, each, reason] of refused) {
  Deno.test(`layers refuse ${name}`, () => {
    const problems = findProblems([], [each]);
    assertEquals(problems.length, 1);
    assertStringIncludes(problems[0], reason);
  });
}

Deno.test("layers refuse a cycle, and name the files on it", () => {
  const ring = ["a", "b", "c"].map((name) => `src/sync/${name}.ts`);
  const imports = ring.map((file, index) => value(file, ring[(index + 1) % 3]));
  assertEquals(findProblems(ring, imports), [
    "import cycle: src/sync/a.ts -> src/sync/b.ts -> src/sync/c.ts -> src/sync/a.ts",
  ]);
  assertEquals(findProblems(ring, [...imports.slice(1), type(ring[0], ring[1])]), []);
});

Deno.test("layers refuse a file that nobody placed", () => {
  const problems = findProblems(["mod.ts", "src/loop.ts", "src/novel.ts"], []);
  assertEquals(problems.length, 1);
  assert(problems[0].startsWith("src/novel.ts: not placed"));
});
