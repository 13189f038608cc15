/**
 * Search: one exploration, from the first schedule to the figures or to the failure.
 *
 * Invariants
 * - The strategy sees runs without a cancel only; those of the sweep, every second one, follow
 *   another. So what a strategy has learned stays true.
 * - Globals are replaced only while schedules run without anything being awaited: others never see
 *   it.
 */
import { findTerminal } from "../../runtime/terminal.ts";
import { CancelSweep } from "./cancel_sweep.ts";
import { type Exploration, NeverReachedError, NondeterminismError } from "./exploration.ts";
import { describe, OutsideError, StepLimitError } from "./failure.ts";
import { Mixed } from "./mixed.ts";
import { type Settings, STRATEGIES } from "./options.ts";
import { Pct } from "./priorities.ts";
import { Progress } from "./progress.ts";
import type { Program } from "./program.ts";
import { firstDifference, type Recording, recordSchedule } from "./recording.ts";
import { explain, type ReplayCall } from "./report.ts";
import { PASSED, Runner, turnOfRuntime } from "./runner.ts";
import type { PlannedCancel, Schedule } from "./schedule.ts";
import { realSeconds } from "./schedule_globals.ts";
import { shrinkSchedule } from "./shrink.ts";
import type { Strategy } from "./strategy.ts";
import { FirstInFirstOut } from "./walks.ts";

/** How long schedules run, in seconds, before the runtime gets a turn. */
const BREATH = 0.05;
/** So many schedules are run between two looks at the clock, where they are short. */
const SCHEDULES_A_LOOK = 16;
const LONG_RUN = 1000;

/** One exploration. */
export class Search {
  readonly #program: Program;
  readonly #settings: Settings;
  readonly #call: ReplayCall;
  readonly #strategy: Strategy;
  readonly #runner: Runner;
  readonly #sweep: CancelSweep | null;
  readonly #progress: Progress;
  /**
   * What the runs of the sweep follow, so that the strategy sees programs that are not cancelled
   * only.
   */
  readonly #fifo = new FirstInFirstOut();
  readonly #names = new Map<string, boolean>();
  readonly #began = realSeconds();
  #schedules = 0;
  #steps = 0;
  #longest = 0;

  constructor(program: Program, settings: Settings, call: ReplayCall) {
    this.#call = call;
    this.#program = program;
    this.#settings = settings;
    this.#strategy = STRATEGIES[settings.strategy](settings);
    this.#runner = new Runner(program, this.#strategy);
    this.#runner.queue.timeMayPass = settings.time;
    this.#runner.queue.maxSteps = settings.maxSteps;
    this.#runner.host.jumps = settings.autojump === "always";
    this.#sweep = settings.cancel === false
      ? null
      : new CancelSweep(settings.cancel, settings.seed);
    this.#progress = new Progress(settings, settings.progress ? findTerminal() : undefined);
  }

  async run(): Promise<Exploration> {
    const { schedules, seconds } = this.#settings;
    await this.#checkDeterminism();
    this.#runner.names = this.#names;
    let complete = false;
    let breath = realSeconds();
    let own = 0; // runs of the strategy
    while (this.#schedules < schedules) {
      const sweeps = this.#sweep !== null && this.#schedules % 2 === 1;
      let running: Promise<void> | undefined;
      if (sweeps) running = this.#runCancelled();
      else if (this.#strategy.begin(own, this.#settings.seed)) {
        own++;
        running = this.#runOnce(this.#strategy, null);
        if (running !== undefined) await running;
        this.#strategy.end?.(this.#runner.queue);
        running = undefined;
      } else {
        complete = this.#sweep === null || this.#sweep.done;
        if (complete) break;
        running = this.#runCancelled();
      }
      // To await what is not there would cost a tenth of a short schedule.
      if (running !== undefined) await running;
      if (this.#schedules % SCHEDULES_A_LOOK !== 0 && this.#runner.queue.steps < LONG_RUN) continue;
      const now = realSeconds();
      if (now - this.#began >= seconds) break;
      if (now - breath < BREATH) continue;
      await this.#breathe();
      breath = realSeconds();
    }
    this.#runner.globals.restore();
    const missed = [...this.#names].filter(([, reached]) => !reached).map(([name]) => name);
    if (missed.length > 0) throw new NeverReachedError(missed, this.#schedules);
    return this.#figures(complete);
  }

  close(): void {
    this.#runner.globals.restore();
    this.#progress.end();
  }

  /**
   * The program, twice in the order of an ordinary loop: the cheapest look for what is no part of
   * the schedule.
   */
  async #checkDeterminism(): Promise<void> {
    const hashes: number[] = [];
    for (let run = 0; run < 2; run++) {
      const { queue } = this.#runner;
      queue.strategy = this.#fifo;
      let result = this.#runner.run(this.#settings.seed, null);
      this.#runner.globals.restore();
      if (result instanceof Promise) result = await result;
      hashes.push(queue.hash);
      if (result === PASSED) continue;
      if (run === 1) await this.#throwNondeterminism(this.#scheduleRun(null), result, "before");
      return; // found at once, and told below
    }
    if (hashes[0] !== hashes[1]) await this.#throwNondeterminism(this.#scheduleRun(null));
  }

  #runCancelled(): Promise<void> | undefined {
    const sweep = this.#sweep!;
    // Until each wait has been the moment of a cancel, the order of an ordinary loop; then any.
    const strategy = sweep.done ? sweep : this.#fifo;
    return this.#runOnce(strategy, sweep.next());
  }

  /** A promise only where there is something to wait for. */
  #runOnce(strategy: Strategy, cancel: PlannedCancel | null): Promise<void> | undefined {
    this.#runner.queue.strategy = strategy;
    const result = this.#runner.run(this.#settings.seed, cancel);
    if (result === PASSED) this.#count();
    else return this.#conclude(result, strategy, cancel);
  }

  /** A run that awaits something outside, or has failed. */
  async #conclude(
    result: unknown,
    strategy: Strategy,
    cancel: PlannedCancel | null,
  ): Promise<void> {
    if (result instanceof Promise) result = await result;
    this.#count();
    if (result !== PASSED) await this.#fail(result, strategy.name, cancel);
  }

  #count(): void {
    const { queue } = this.#runner;
    this.#schedules++;
    this.#steps += queue.steps;
    if (queue.steps > this.#longest) this.#longest = queue.steps;
    this.#sweep?.learn(queue.steps, queue.scheduler.lastTaskId);
  }

  /** Makes sure that the schedule fails again, shrinks it, and throws what is to be told of it. */
  async #fail(result: unknown, strategy: string, cancel: PlannedCancel | null): Promise<never> {
    const { queue } = this.#runner;
    const { maxSteps } = this.#settings;
    let schedule = this.#scheduleRun(cancel);
    const { hash } = queue;
    this.#runner.globals.restore();
    const before = await recordSchedule(this.#program, schedule, maxSteps);
    if (before.result === PASSED || before.hash !== hash) {
      await this.#throwNondeterminism(schedule, result);
    }
    let after = before;
    // To shrink an endless run would take for ever; to wait again and again for nothing, too long.
    if (!(result instanceof StepLimitError || result instanceof OutsideError)) {
      this.#progress.shrinking(this.#schedules, realSeconds() - this.#began);
      schedule = await shrinkSchedule(this.#program, schedule, result, maxSteps);
      this.#runner.globals.restore();
      after = await recordSchedule(this.#program, schedule, maxSteps);
    }
    if (after.result === PASSED) await this.#throwNondeterminism(schedule, result);
    const found = `Schedule ${this.#schedules} fails (${strategy}` +
      (before.preemptions > after.preemptions
        ? `, shrunk from ${preemptions(before)} to ${after.preemptions})`
        : ")");
    throw explain(after, schedule, this.#schedules, found, this.#call);
  }

  /**
   * Runs a schedule twice more, to say where it goes on in another way. With an error, one of the
   * two runs before failed with that: the last (`before` it was another), or the first.
   */
  async #throwNondeterminism(
    schedule: Schedule,
    error?: unknown,
    when: "before" | "again" = "again",
  ): Promise<never> {
    const { maxSteps } = this.#settings;
    const { outside } = this.#runner;
    const one = await recordSchedule(this.#program, schedule, maxSteps);
    const other = await recordSchedule(this.#program, schedule, maxSteps);
    let where = firstDifference(one, other);
    if (where === undefined && error !== undefined) {
      const text = describe(error);
      where = when === "again"
        ? `one run failed (${text}), and the next did not fail in this way`
        : `one run did not fail, and the next did (${text})`;
    }
    where ??= "one run took other steps than the next, and two more did not";
    throw new NondeterminismError(where, outside, { cause: error });
  }

  /** The schedule of the last run. */
  #scheduleRun(cancel: PlannedCancel | null): Schedule {
    const { queue } = this.#runner;
    const { seed, time, autojump } = this.#settings;
    const choices = queue.choices.slice(0, queue.decisions);
    return { choices, cancel, seed, time, jumps: autojump === "always" };
  }

  /** Lets the runtime do its own work, with its own globals. */
  async #breathe(): Promise<void> {
    this.#runner.globals.restore();
    const seconds = realSeconds() - this.#began;
    this.#settings.onProgress?.({ schedules: this.#schedules, seconds });
    this.#progress.schedules(this.#schedules, seconds, this.#strategy.name);
    await turnOfRuntime();
  }

  #figures(complete: boolean): Exploration {
    const { strategy, seed } = this.#settings;
    const bound = this.#strategy instanceof Pct || this.#strategy instanceof Mixed
      ? this.#strategy.bound
      : undefined;
    return {
      ...{ strategy, seed, complete, bound },
      schedules: this.#schedules,
      steps: this.#steps,
      longest: this.#longest,
      seconds: realSeconds() - this.#began,
    };
  }
}

function preemptions({ preemptions: count }: Recording): string {
  return count === 1 ? "1 preemption" : `${count} preemptions`;
}
