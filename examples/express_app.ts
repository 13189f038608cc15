// deno run --allow-net --allow-env --allow-read --allow-sys examples/express_app.ts
// An Express app whose handlers are coroutines, by portal.wrap and by toNodeListener.
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/express@5.0.6"
import express, { type NextFunction, type Request, type Response } from "express";
import { Portal, sleep } from "jsr:@broomio/core";
import { sendChunk, toNodeListener } from "jsr:@broomio/core/http";

await using portal = new Portal();
const app = express();

// Express 5 takes a promise: what the coroutine throws goes to its error handler.
app.get(
  "/users/:id",
  portal.wrap(function* (request: Request, response: Response) {
    yield* sleep(0.01);
    if (request.params.id === "0") throw new RangeError("there is no user 0");
    response.send(`user ${request.params.id}`);
  }),
);

// The client's going cancels this one, and a client that reads slowly makes it wait.
app.get(
  "/report",
  toNodeListener(portal, function* (_: Request, response: Response) {
    for (let line = 1; line <= 3; line++) yield* sendChunk(response, `line ${line}\n`);
    response.end();
  }),
);

app.use((error: Error, _: Request, response: Response, _next: NextFunction) => {
  response.status(500).send(`Sorry: ${error.message}`);
});

const server = app.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const { port } = server.address() as AddressInfo;
for (const path of ["/users/7", "/users/0", "/report"]) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  console.log(response.status, (await response.text()).trim());
}
server.close();
server.closeIdleConnections();

/* Output:
200 user 7
500 Sorry: there is no user 0
200 line 1
line 2
line 3
*/
