/**
 * Runner: runs a program once, as a strategy decides; again and again in the same loop.
 *
 * While the program awaits nothing from outside, a run is a plain loop of calls. Where it does,
 * turns of the runtime come in between, and what comes from outside is seen when nothing else is
 * ready. Invariant: a run depends on its schedule alone. What a run changes in the loop is set back
 * before the next; after a failure the loop is made anew, because something may be left in it.
 */
import { Cancelled, TaskCancelledError } from "../../kernel/errors.ts";
import { NurseryError } from "../../kernel/nursery_error.ts";
import type { Settle } from "../../kernel/run.ts";
import type { Instrument } from "../../kernel/instrument.ts";
import { type ExploredLoop, exploredLoop } from "../../loop.ts";
import { createMacrotask } from "../../runtime/macrotask.ts";
import { Leaks } from "../leaks.ts";
import { ExploredHost } from "./explored_host.ts";
import { ExploredQueue } from "./explored_queue.ts";
import { LeakError, OutsideError, StepLimitError } from "./failure.ts";
import {
  type CheckedProgram,
  checkProgram,
  mainOf,
  makeProgram,
  type Program,
  WrongProgramError,
} from "./program.ts";
import type { PlannedCancel } from "./schedule.ts";
import { realSeconds, ScheduleGlobals } from "./schedule_globals.ts";
import { keepSometimes } from "./sometimes.ts";
import type { Strategy } from "./strategy.ts";

/** How long something outside may take, in seconds. */
const OUTSIDE_LIMIT = 2;
/** How many microtasks are let pass before the runtime gets a turn. */
const MICROTASKS = 20;

/** A run that found nothing wrong. */
export const PASSED: unique symbol = Symbol("passed");

/** Code of a program runs, in some exploration: one cannot begin another from there. */
let entered = false;

function enter(names: Map<string, boolean> | null): void {
  entered = true;
  keepSometimes(names);
}

function leave(): void {
  entered = false;
  keepSometimes(null);
}

/**
 * Refuses what a program that is explored must not do: its turn would have another one in it.
 *
 * @throws {Error} If code of such a program has called.
 */
export function checkOutside(by: string): void {
  if (!entered) return;
  throw new Error(
    `${by}() was called within a program that is explored: call it outside, one after the other`,
  );
}

/** One world in which a program is run again and again. */
export class Runner {
  readonly queue: ExploredQueue;
  readonly host: ExploredHost = new ExploredHost();
  readonly globals: ScheduleGlobals = new ScheduleGlobals(() => this.host.time);
  /** Watch each run; they and `debug` are set before the first. */
  instruments: readonly Instrument[] = [];
  debug: boolean = false;
  /** Where `sometimes` keeps what it is told during a run. */
  names: Map<string, boolean> | null = null;
  /** The last run awaited something from outside. */
  outside: boolean = false;
  readonly #program: Program;
  readonly #leaks = new Leaks();
  #loop: ExploredLoop | null = null;
  /** How the run has ended; null while it has not. */
  #end: { failed: boolean; value: unknown } | null = null;
  readonly #settle: Settle = {
    resolve: (value) => this.#end = { failed: false, value },
    reject: (value) => this.#end = { failed: true, value },
  };

  constructor(program: Program, strategy: Strategy) {
    this.#program = program;
    this.queue = new ExploredQueue(strategy, this.host);
  }

  /**
   * Runs it once: `PASSED`, or what went wrong; a promise of that where something outside is
   * awaited.
   */
  run(seed: number, cancel: PlannedCancel | null): unknown | Promise<unknown> {
    enter(this.names);
    try {
      return this.#run(seed, cancel);
    } finally {
      leave();
    }
  }

  #run(seed: number, cancel: PlannedCancel | null): unknown | Promise<unknown> {
    const { queue, host } = this;
    host.reset();
    queue.reset();
    queue.cancel = cancel;
    this.globals.reseed(seed);
    this.globals.replace();
    this.#end = null;
    this.outside = false;
    const loop = this.#loop ??= exploredLoop(
      {
        host,
        instruments: [...this.instruments],
        debug: this.debug,
        seed: 0,
        onWarning: ignore,
      },
      { queue, random: this.globals.random },
    );
    queue.scheduler = loop.scheduler;
    this.#leaks.watch(loop.scheduler);
    loop.scheduler.lastTaskId = 0;
    let program: CheckedProgram;
    try {
      program = makeProgram(this.#program);
      loop.begin(mainOf(program), this.#settle);
      this.#drive();
    } catch (error) {
      this.#loop = null;
      if (error instanceof WrongProgramError) this.#refuse(error);
      return error;
    }
    if (this.#end === null && !queue.stopped) {
      this.outside = true;
      this.globals.restore();
      return this.#driveOutside(program);
    }
    return this.#conclude(program);
  }

  #drive(): void {
    const session = this.host.session;
    while (session !== null && session.wanted && session.isOpen && !this.queue.stopped) {
      session.wanted = false;
      session.turn();
    }
  }

  /** With turns of the runtime in between, in which it does what the program awaits. */
  async #driveOutside(program: CheckedProgram): Promise<unknown> {
    const session = this.host.session!;
    while (this.#end === null && !this.queue.stopped) {
      for (let i = 0; i < MICROTASKS && !session.wanted; i++) await undefined;
      if (!session.wanted && this.host.jumps) session.jump();
      const limit = realSeconds() + OUTSIDE_LIMIT;
      while (!session.wanted && realSeconds() < limit) await turnOfRuntime();
      if (!session.wanted) this.#loop!.crash(new OutsideError(OUTSIDE_LIMIT));
      enter(this.names);
      try {
        this.#drive();
      } finally {
        leave();
      }
    }
    enter(this.names);
    try {
      return this.#conclude(program);
    } finally {
      leave();
    }
  }

  #conclude(program: CheckedProgram): unknown {
    const { queue } = this;
    if (queue.stopped) {
      // The loop has taken the stop for a deadlock where the turn was not over.
      if (this.#end === null) this.#loop!.crash(undefined);
      this.#end = { failed: true, value: new StepLimitError(queue.maxSteps) };
    }
    const { failed, value } = this.#end!;
    const cancelled = queue.victim !== null;
    if (failed && !(cancelled && isOfCancel(value))) {
      this.#loop = null;
      return value;
    }
    if (this.#leaks.some) {
      this.#loop = null;
      return new LeakError(this.#leaks.rest());
    }
    try {
      checkProgram(program, { value: failed ? undefined : value, cancelled });
    } catch (error) {
      if (error instanceof WrongProgramError) this.#refuse(error);
      return error;
    }
    return PASSED;
  }

  #refuse(error: WrongProgramError): never {
    this.globals.restore();
    throw error;
  }
}

function ignore(): void {}

/** Whether all that failed is that tasks were cancelled, which the exploration did. */
function isOfCancel(error: unknown): boolean {
  if (error instanceof NurseryError) return error.flatten().every(isOfCancel);
  return error instanceof Cancelled || error instanceof TaskCancelledError;
}

/** Lets the runtime do its own work once. */
export function turnOfRuntime(): Promise<void> {
  return new Promise((resolve) => {
    const macrotask = createMacrotask(() => {
      macrotask.cancel();
      resolve();
    });
    macrotask.post();
  });
}
