// deno run --allow-net --unstable-no-legacy-abort examples/hono_app.ts
// A Hono app some of whose handlers are coroutines. On Node: serve(app) of @hono/node-server.
import { type Context, Hono } from "hono";
import { CapacityLimiter, type Coroutine, moveOnAfter, Portal, sleep } from "jsr:@broomio/core";
import { streamBody } from "jsr:@broomio/core/http";

await using portal = new Portal();
const database = new CapacityLimiter(2); // at most two queries at once

function* query(sql: string) {
  return yield* database.with(function* () {
    yield* sleep(0.01);
    return `rows of ${sql}`;
  });
}

/** A handler from a function*: the client's going cancels it. */
const coroutine = (body: (c: Context) => Coroutine<Response>) => (c: Context) =>
  portal.run(body(c), { signal: c.req.raw.signal, timeout: 5 });

const app = new Hono();
app.get("/plain", (c) => c.text("an async handler, as ever"));
app.get(
  "/users/:id",
  coroutine(function* (c) {
    const rows = yield* moveOnAfter(1, query(`user ${c.req.param("id")}`));
    return rows === undefined ? c.text("The database is slow", 503) : c.text(rows);
  }),
);
app.get(
  "/count",
  coroutine(function* (c) {
    return c.body(streamBody(function* (send) {
      for (let i = 1; i <= 3; i++) {
        yield* send(`${i} `); // waits while the client does not read
        yield* sleep(0.01);
      }
    }));
  }),
);

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
for (const path of ["/plain", "/users/7", "/count"]) {
  const response = await fetch(`http://127.0.0.1:${server.addr.port}${path}`);
  console.log(response.status, await response.text());
}
await server.shutdown();

/* Output:
200 an async handler, as ever
200 rows of user 7
200 1 2 3
*/
