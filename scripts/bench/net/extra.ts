/**
 * What a server must survive rather than do fast: many idle connections, a storm of new ones, a peer that does not read.
 */

import { clientLauncher, runClient } from "./load.ts";
import { Companion } from "./processes.ts";

export interface ExtraRow {
  readonly id: string;
  readonly title: string;
  /** Looks at one echo server. */
  run(server: Companion, port: number): Promise<Finding>;
}

export interface Finding {
  readonly text: string;
  readonly ok: boolean;
}

const megabyte = 1024 * 1024;

/** Waits until memory has come to rest. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 500));

/** Memory after the first thousand is not the connections' alone: code, feedback and first buffers come with them. */
async function idle(server: Companion, port: number): Promise<Finding> {
  const clients: Companion[] = [];
  const hold = async (count: number) => {
    const client = new Companion(clientLauncher, ["hold", String(port), String(count)]);
    clients.push(client);
    const { held } = JSON.parse(await client.line());
    await settle();
    return held as number;
  };
  try {
    let held = await hold(1_000);
    const before = server.memory;
    held += await hold(9_000);
    const each = (server.memory - before) / 9_000;
    const { served } = await runClient<{ served: number }>("storm", port, 100);
    return {
      text: `${held.toLocaleString("en")} held, ${(each / 1024).toFixed(1)} KiB each, ` +
        `${served} of 100 served meanwhile`,
      ok: held === 10_000 && served === 100,
    };
  } finally {
    for (const client of clients) client.kill();
  }
}

async function storm(_server: Companion, port: number): Promise<Finding> {
  const { served, seconds } = await runClient<{ served: number; seconds: number }>(
    "storm",
    port,
    5_000,
  );
  return {
    text: `${served.toLocaleString("en")} of 5,000 served in ${seconds.toFixed(2)} s`,
    ok: served === 5_000,
  };
}

/** The peer sends up to 256 MiB and reads nothing for two seconds: the server must stop reading too. */
async function slow(server: Companion, port: number): Promise<Finding> {
  const before = server.memory;
  const total = 256 * megabyte;
  const client = new Companion(clientLauncher, ["slow", String(port), String(total), "2"]);
  try {
    const { stuck } = JSON.parse(await client.line());
    const grown = server.memory - before;
    const { received } = JSON.parse(await client.line());
    return {
      text: `took ${(stuck / megabyte).toFixed(1)} MiB and grew by ${
        (grown / megabyte).toFixed(1)
      } MiB; then ${received === total ? "all came back" : `${received} bytes came back`}`,
      ok: received === total && stuck < total / 2 && grown < 32 * megabyte,
    };
  } finally {
    client.kill();
  }
}

export const extraRows: readonly ExtraRow[] = [
  { id: "idle", title: "10,000 idle connections", run: idle },
  { id: "storm", title: "5,000 connections at once", run: storm },
  { id: "slow", title: "a peer that does not read for 2 s", run: slow },
];

/** Starts a server for the row alone, looks at it, and ends it. */
export async function measureExtra(row: ExtraRow, start: () => Companion): Promise<Finding> {
  const server = start();
  try {
    return await row.run(server, Number(await server.line()));
  } finally {
    server.kill();
  }
}
