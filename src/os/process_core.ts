/**
 * ProcessCore: the state of a process, and how it is ended.
 *
 * How. Leaving the scope sends SIGTERM to the group, and SIGCONT, since a stopped process does not
 * get the first before it goes on. Who has not ended after the grace gets SIGKILL, the whole group.
 * That is done also where the process itself has ended before: its children may be alive. Then the
 * status is waited for, and the pipes are closed without waiting for their ends, which a process
 * that has left the group may hold (R49).
 *
 * Why the group is looked at again and again: nothing tells when it is empty. A look is a signal 0,
 * which zombies answer too, for ever where the system's first process does not collect them; so on
 * Linux `/proc` is asked then, where that is permitted, and otherwise the grace bounds it.
 *
 * Invariants: `status` is set once. No signal is sent once the group is gone: its number may belong
 * to another by then. `groupIsGone` is set only when the process has ended: until then its pid
 * cannot belong to another. Independent of: which runtime this is.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { Wait } from "../kernel/wait.ts";
import { sleep } from "../operations/sleep.ts";
import { moveOnAfter } from "../operations/timeout.ts";
import { type LiveProcess, removeLive } from "./live_processes.ts";
import type { ExitStatus, RawProcess } from "./process_backend.ts";
import type { ProcessInput, ProcessOutput } from "./process_streams.ts";

/** The first and the longest pause between two looks at a group, in seconds. */
const FIRST_PAUSE = 0.002;
const LONGEST_PAUSE = 0.1;
/**
 * How long members of a group may take to be gone after SIGKILL, in seconds: nothing survives it.
 */
const KILL_TIME = 0.1;

/** An end that waits for nothing: most processes have ended when their scope does. */
const NOTHING: Operation<void> = {
  [Symbol.iterator]: () => ({ next: () => ({ done: true, value: undefined }) }),
};

/** The pipes of a process, those to other processes included. */
export interface ProcessStreams {
  readonly stdin: ProcessInput | null;
  readonly stdout: ProcessOutput | null;
  readonly stderr: ProcessOutput | null;
}

/** A process and its streams. */
export class ProcessCore implements LiveProcess {
  readonly raw: RawProcess;
  readonly command: string;
  /** Null where it is no pipe, or one to another process. */
  readonly stdin: ProcessInput | null;
  readonly stdout: ProcessOutput | null;
  readonly stderr: ProcessOutput | null;
  status: ExitStatus | null = null;
  readonly waiters: Set<ExitWait> = new Set();
  readonly #grace: number;
  readonly #streams: ProcessStreams;
  #groupIsGone = false;

  constructor(
    raw: RawProcess,
    command: string,
    grace: number,
    streams: ProcessStreams,
    isPiped: { readonly [Name in keyof ProcessStreams]: boolean },
  ) {
    this.raw = raw;
    this.command = command;
    this.#grace = grace;
    this.#streams = streams;
    this.stdin = isPiped.stdin ? streams.stdin : null;
    this.stdout = isPiped.stdout ? streams.stdout : null;
    this.stderr = isPiped.stderr ? streams.stderr : null;
    raw.exited = (status) => {
      this.status = status;
      this.#groupIsGone = !raw.hasGroup();
      for (const waiter of this.waiters) waiter.settle(status);
      this.waiters.clear();
    };
  }

  /** Whether neither the process nor one of its group is left. */
  get isGone(): boolean {
    if (this.status === null) return false;
    if (!this.#groupIsGone) this.#groupIsGone = !this.raw.hasGroup();
    return this.#groupIsGone;
  }

  /** Ends the process and its group, and waits until they are gone. To be shielded. */
  *endGroup(): Coroutine<void> {
    if (this.isGone) return;
    const { raw } = this;
    raw.killGroup("SIGTERM");
    raw.killGroup("SIGCONT");
    yield* moveOnAfter(this.#grace, this.#untilGone());
    if (this.isGone) return;
    raw.killGroup("SIGKILL");
    yield* new ExitWait(this);
    yield* moveOnAfter(KILL_TIME, this.#untilGone());
  }

  /** The end of the scope it was started in. To be shielded. */
  end(): Operation<void> {
    if (!this.isGone) return this.#end();
    this.#release();
    return NOTHING;
  }

  *#end(): Coroutine<void> {
    try {
      yield* this.endGroup();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    this.closeStreams();
    removeLive(this);
  }

  killNow(): void {
    if (!this.isGone) this.raw.killGroup("SIGKILL");
  }

  closeStreams(): void {
    const { stdin, stdout, stderr } = this.#streams;
    stdin?.close();
    stdout?.close();
    stderr?.close();
    this.raw.close();
  }

  *#untilGone(): Coroutine<void> {
    yield* new ExitWait(this);
    for (let pause = FIRST_PAUSE; !this.isGone; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      yield* sleep(pause);
    }
  }

  toString(): string {
    return `process ${this.raw.pid} (${this.command})`;
  }
}

/** Waits until a process has ended. */
export class ExitWait extends Wait<ExitStatus> {
  static {
    this.prototype.external = true;
  }

  readonly #process: ProcessCore;

  constructor(core: ProcessCore) {
    super();
    this.#process = core;
  }

  protected arm(): void {
    const { status, waiters } = this.#process;
    if (status === null) waiters.add(this);
    else this.settle(status);
  }

  protected disarm(): void {
    this.#process.waiters.delete(this);
  }

  describe(): string {
    return `waiting for ${this.#process}`;
  }
}
