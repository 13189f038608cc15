/**
 * Processes that run beside the benchmark: servers, and clients that hold on. What the kernel says about them comes from
 * `/proc`, so this is for Linux.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Launcher } from "../runtime.ts";

/** How long a process may take to say something, in milliseconds. */
const patience = 30_000;

/** A process that prints lines and goes on. */
export class Companion {
  readonly #child: ChildProcess;
  #text = "";
  #ended: string | undefined;
  #wake: () => void = () => {};

  constructor(launcher: Launcher, args: readonly string[]) {
    this.#child = spawn(launcher.program, [...launcher.leading, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.stdout!.setEncoding("utf8");
    this.#child.stdout!.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    this.#child.on("error", (error) => this.#end(String(error)));
    this.#child.on("close", (code, signal) => this.#end(`it ended with ${signal ?? code}`));
  }

  /** Waits for the next line it prints. */
  async line(): Promise<string> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, patience);
    try {
      for (;;) {
        const end = this.#text.indexOf("\n");
        if (end >= 0) {
          const line = this.#text.slice(0, end);
          this.#text = this.#text.slice(end + 1);
          return line;
        }
        if (this.#ended !== undefined) throw new Error(this.#ended);
        if (late) throw new Error(`it said nothing for ${patience / 1000} s`);
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Seconds of processor time so far, all threads, the kernel's work for it included. */
  get cpu(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100; // in ticks of 10 ms
  }

  /** Bytes of memory of its own that are resident: without files and what it shares. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(status.match(/RssAnon:\s+(\d+) kB/)![1]) * 1024;
  }

  /** Ends it. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #end(how: string): void {
    this.#ended ??= how;
    this.#wake();
  }
}
