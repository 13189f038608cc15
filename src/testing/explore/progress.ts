/**
 * Progress: one line on a terminal that says how far an exploration is, written anew in its place.
 *
 * Invariants: nothing is written where there is no terminal, nor within the first second; when the
 * exploration ends, the line is gone. Independent of: which terminal it is (`runtime/terminal.ts`).
 */
import type { Terminal } from "../../runtime/terminal.ts";
import type { Settings } from "./options.ts";

/** Seconds before anything is written: a short exploration writes nothing. */
const SILENCE = 1;
/** Seconds from one line to the next. */
const PERIOD = 0.25;
/** To the beginning of the line, and away with what is there. */
const CLEAR = "\r\x1b[K";

/** The line of one exploration. */
export class Progress {
  readonly #terminal: Terminal | undefined;
  readonly #settings: Settings;
  #next = SILENCE;
  #shown = false;

  constructor(settings: Settings, terminal: Terminal | undefined) {
    this.#settings = settings;
    this.#terminal = terminal;
  }

  /** Says how many schedules have been run in so many seconds. */
  schedules(count: number, seconds: number, strategy: string): void {
    if (this.#terminal === undefined || seconds < this.#next) return;
    const { schedules: most, seconds: limit } = this.#settings;
    const runs = most === Infinity ? number(count) : `${number(count)} of ${number(most)}`;
    const time = limit === Infinity ? number(seconds) : `${number(seconds)} of ${number(limit)}`;
    this.#show(`explore: ${runs} schedules, ${time} s, ${strategy}`, seconds);
  }

  /** Says that a failure was found, and is made smaller. */
  shrinking(run: number, seconds: number): void {
    if (this.#terminal === undefined || seconds < SILENCE) return;
    this.#show(`explore: schedule ${number(run)} fails; looking for a shorter one`, seconds);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#terminal!.write(CLEAR);
    this.#shown = false;
  }

  #show(text: string, seconds: number): void {
    this.#next = seconds + PERIOD;
    this.#shown = true;
    // In the last column some terminals begin a new line, which could not be taken away any more.
    const { columns } = this.#terminal!;
    this.#terminal!.write(CLEAR + text.slice(0, columns - 1));
  }
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}
