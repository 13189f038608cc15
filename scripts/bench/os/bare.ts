/**
 * The other side: processes by the runtime's own API, as one writes it without a library.
 */
import { spawn } from "node:child_process";

/** What both sides can do. */
export interface Side {
  /** Starts `true`, in a group of its own or not, and waits for its end. */
  start(group: boolean): Promise<void>;
  /** Sends `count` chunks through `cat`, in a group of its own, and gives how many bytes came back. */
  pipe(chunk: Uint8Array, count: number): Promise<number>;
}

const denoSide: Side = {
  async start(detached) {
    const options = { stdin: "null", stdout: "null", stderr: "null", detached } as const;
    await new Deno.Command("true", options).spawn().status;
  },

  async pipe(chunk, count) {
    const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped", detached: true })
      .spawn();
    async function send(): Promise<void> {
      const writer = child.stdin.getWriter();
      for (let i = 0; i < count; i++) await writer.write(chunk);
      await writer.close();
    }
    const sending = send();
    let received = 0;
    for await (const bytes of child.stdout) received += bytes.length;
    await sending;
    await child.status;
    return received;
  },
};

const nodeSide: Side = {
  start: (detached) =>
    new Promise((resolve) => {
      spawn("true", { stdio: "ignore", detached }).on("exit", () => resolve());
    }),

  pipe: (chunk, count) =>
    new Promise((resolve) => {
      const child = spawn("cat", { stdio: ["pipe", "pipe", "ignore"] });
      let received = 0;
      child.stdout.on("data", (bytes: Uint8Array) => received += bytes.length);
      child.on("close", () => resolve(received));
      function send(): void {
        while (count-- > 0) if (!child.stdin.write(chunk)) return;
        child.stdin.end();
      }
      child.stdin.on("drain", send);
      send();
    }),
};

/** This runtime's. */
export const bare: Side = "Deno" in globalThis ? denoSide : nodeSide;
