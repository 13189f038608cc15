/**
 * Real clients against every place where coroutines answer: `fetch`, curl, and a raw socket that
 * breaks off at each stage (R45 to R47).
 */
import { spawn, spawnSync } from "node:child_process";
import { assertEquals, assertRejects } from "@std/assert";
import { App, type Place, places, type Running } from "./places.ts";
import { isToldLate, RawClient, soon } from "./support.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

/** Opens a place, has clients use it, and looks at what is left. */
async function visit(
  place: Place,
  use: (server: Running, app: App, base: string) => Promise<void>,
): Promise<void> {
  const app = new App();
  const server = await place.open(app);
  try {
    await use(server, app, `http://127.0.0.1:${server.port}`);
    await soon(() => app.begun === app.ended, `the end of ${app.begun - app.ended} requests`);
    await soon(() => server.active() === 0, "the end of all tasks");
    const response = await fetch(`http://127.0.0.1:${server.port}/hello`);
    assertEquals([response.status, await response.text()], [200, "hello"]); // it lives
  } finally {
    await server.close();
  }
  assertEquals(app.errors.filter((each) => !isToldLate(place.name, each)).map(String), []);
}

for (const place of places) {
  const { name } = place;

  Deno.test(`${name}: fetch`, async () => {
    await visit(place, async (_, app, base) => {
      const all = await Promise.all(
        Array.from({ length: 20 }, async () => await (await fetch(`${base}/hello`)).text()),
      );
      assertEquals(all, all.map(() => "hello"));
      const upload = await fetch(`${base}/upload`, {
        method: "POST",
        body: new Uint8Array(1 << 20),
      });
      assertEquals(await upload.text(), `${1 << 20} bytes`);
      assertEquals((await (await fetch(`${base}/stream`)).text()).split("\n").length, 11);
      const head = await fetch(`${base}/hello`, { method: "HEAD" });
      assertEquals([head.status, await head.text()], [200, ""]);
      // Aborted while it waits for the head, and while the body comes.
      const begun = app.begun;
      const abort = new AbortController();
      const waiting = fetch(`${base}/wait`, { signal: abort.signal });
      await soon(() => app.begun > begun, "the request");
      abort.abort();
      await assertRejects(() => waiting);
      const cut = new AbortController();
      const stream = await fetch(`${base}/flood`, { signal: cut.signal });
      await stream.body!.getReader().read();
      cut.abort();
    });
  });

  Deno.test({
    name: hasCurl ? `${name}: curl` : `${name}: curl, which is not installed here`,
    ignore: !hasCurl,
    fn: async () => {
      await visit(place, async (_, app, base) => {
        const curl = (...args: string[]) => runCurl(["--silent", ...args]);
        assertEquals(await curl(`${base}/hello`), { code: 0, text: "hello" });
        assertEquals(await curl("--http1.0", `${base}/hello`), { code: 0, text: "hello" });
        // Two on one connection.
        assertEquals(
          await curl("--data-binary", "x".repeat(3000), `${base}/hello`, `${base}/upload`),
          { code: 0, text: "hello3000 bytes" },
        );
        // The body is sent after "100 Continue".
        const expecting = ["-H", "Expect: 100-continue", "--data-binary", "x".repeat(100_000)];
        assertEquals(await curl(...expecting, `${base}/upload`), { code: 0, text: "100000 bytes" });
        const chunked = await curl("-T", "-", "-X", "POST", `${base}/upload`);
        assertEquals(chunked, { code: 0, text: "0 bytes" });
        const streamed = await curl("--no-buffer", `${base}/stream`);
        assertEquals([streamed.code, streamed.text.split("\n").length], [0, 11]);
        // Code 28: it has given up, while it waited for the head, and while the body came.
        const begun = app.begun;
        const given = await Promise.all([
          curl("--max-time", "0.3", `${base}/wait`),
          curl("--max-time", "0.3", "--output", "/dev/null", `${base}/flood`),
          curl("--max-time", "0.3", "--limit-rate", "1000", "-o", "/dev/null", `${base}/flood`),
        ]);
        assertEquals(given.map(({ code }) => code), [28, 28, 28]);
        assertEquals(app.begun, begun + 3);
      });
    },
  });

  for (const reset of [false, true]) {
    Deno.test(`R45: ${name}: a raw socket that breaks off at each stage, by a ${reset ? "reset" : "FIN"}, leaves nothing`, async () => {
      await visit(place, async (server, app) => {
        for (const [stage, run] of Object.entries(stages)) {
          // Node 20 does not tell a response that is queued of its end, and this package asks nobody else.
          if (stage === PIPELINED && /@hono\/node-server/.test(name)) continue;
          const client = new RawClient(server.port);
          await run(client, app);
          await client.close(reset);
          await soon(() => app.begun === app.ended, `the end after: ${stage}`);
        }
      });
    });
  }
}

const PIPELINED = "three requests in one piece";

/** How far a client goes before it breaks off. */
const stages: Record<string, (client: RawClient, app: App) => Promise<void>> = {
  async "it has connected"(client) {
    await connected(client);
  },
  async "half a request line"(client) {
    client.socket.write("GET /he");
    await connected(client);
  },
  async "half a head"(client) {
    client.socket.write("GET /hello HTTP/1.1\r\nhost: local");
    await connected(client);
  },
  async "the head, at once"(client) {
    client.request("/wait");
    await connected(client);
  },
  async "the head, and the coroutine waits"(client, app) {
    const { begun } = app;
    client.request("/wait");
    await soon(() => app.begun > begun, "the request");
  },
  async "half an upload"(client, app) {
    const { begun } = app;
    client.request("/upload", {
      method: "POST",
      headers: ["content-length: 100000"],
      body: "x".repeat(50_000),
    });
    await soon(() => app.begun > begun, "the request");
  },
  async "half a chunk of an upload"(client, app) {
    const { begun } = app;
    client.request("/upload", {
      method: "POST",
      headers: ["transfer-encoding: chunked"],
      body: "ffff\r\nhalf",
    });
    await soon(() => app.begun > begun, "the request");
  },
  async "the first part of a body"(client) {
    client.request("/stream");
    await client.receive("part 0");
  },
  async "the coroutine waits for the client to read"(client, app) {
    const { begun } = app;
    client.socket.pause();
    client.request("/flood");
    await soon(() => app.begun > begun, "the request");
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
  async "the request is being answered"(client) {
    client.request("/hello");
    await connected(client);
  },
  async "the answer, and the next request is half sent"(client) {
    client.request("/hello");
    await client.receive("hello");
    client.socket.write("GET /hel");
  },
  async [PIPELINED](client, app) {
    const { begun } = app;
    client.request("/hello").request("/hello").request("/wait");
    await soon(() => app.begun > begun, "the first request");
  },
};

/** Waits until what was written has left this process. */
async function connected(client: RawClient): Promise<void> {
  await client.until(
    () => !client.socket.connecting && client.socket.writableLength === 0,
    "write",
  );
}

function runCurl(args: string[]): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("curl", args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (bytes) => text += bytes);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, text }));
  });
}
