/**
 * The load: wrk in a process of its own where it is installed, else `client.ts`. Both send a request, or a batch of
 * pipelined ones, on each connection, wait for the replies, and send the next.
 */

import { fileURLToPath } from "node:url";
import { type Launcher, runChild, sameRuntime } from "../runtime.ts";
import { isSecure, reply, type Service } from "./wire.ts";

/** What one row asks of a server. */
export interface NetRow {
  readonly id: string;
  readonly title: string;
  readonly service: Service;
  readonly connections: number;
  /** Requests sent at once on a connection. */
  readonly pipelined: number;
  /** Bytes of an echoed message. */
  readonly size: number;
}

/** What one round found. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Connections that failed, replies that were wrong. */
  readonly errors: number;
}

/** Whether there is a wrk. */
export async function hasWrk(): Promise<boolean> {
  try {
    await runChild({ program: "sh", leading: ["-c", "command -v wrk"] }, []);
    return true;
  } catch {
    return false;
  }
}

export async function runLoad(
  row: NetRow,
  port: number,
  seconds: number,
  wrk: boolean,
): Promise<LoadResult> {
  if (wrk) return readWrk(await runChild(wrkLauncher(row, port, seconds), []));
  const { service, connections, pipelined, size } = row;
  if (isSecure(service)) throw new Error("The rows over TLS need wrk");
  const replySize = service === "http" ? reply.length : size;
  return await runClient("load", port, service, connections, pipelined, size, replySize, seconds);
}

/** Runs `client.ts` to its end and gives what it found. */
export async function runClient<T>(...args: (string | number)[]): Promise<T> {
  return JSON.parse(await runChild(clientLauncher, args.map(String)));
}

/** How `client.ts` is started. */
export const clientLauncher: Launcher = sameRuntime(new URL("./client.ts", import.meta.url));

function wrkLauncher(row: NetRow, port: number, seconds: number): Launcher {
  const script = fileURLToPath(new URL("./wrk.lua", import.meta.url));
  const shape = `-t 1 -c ${row.connections} -d ${seconds}s --timeout 10s -s ${script}`;
  const request = `-- ${row.service.replace("tls-", "")} ${row.pipelined} ${row.size}`;
  const scheme = isSecure(row.service) ? "https" : "http";
  return {
    program: "wrk",
    leading: `${shape} ${scheme}://127.0.0.1:${port}/ ${request}`.split(" "),
  };
}

const units: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };

/** wrk's own words: "52310 requests in 1.00s, 5.04MB read", "Socket errors: connect 0, read 3, write 0, timeout 0". */
function readWrk(text: string): LoadResult {
  const done = text.match(/(\d+) requests in ([\d.]+)(us|ms|s|m),/);
  if (done === null) throw new Error(`wrk said: ${text}`);
  const failures = text.match(/Socket errors: (.*)/)?.[1].match(/\d+/g) ?? [];
  const refused = text.match(/Non-2xx or 3xx responses: (\d+)/)?.[1] ?? "0";
  return {
    requests: Number(done[1]),
    seconds: Number(done[2]) * units[done[3]],
    errors: [...failures, refused].reduce((sum, count) => sum + Number(count), 0),
  };
}
