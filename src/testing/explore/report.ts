/**
 * The error that tells of a schedule: what failed, who ran when, and how to run it again.
 */
import { ExplorationError } from "./exploration.ts";
import { describe } from "./failure.ts";
import { interleavingTable } from "./interleaving.ts";
import type { Recording } from "./recording.ts";
import { formatSchedule, type Schedule } from "./schedule.ts";

/** How a schedule is run again: the call to paste. */
export type ReplayCall = (schedule: string) => string;
export const REPLAY: ReplayCall = (schedule) => `replay(program, ${schedule})`;

/** The error that tells of a schedule. */
export function explain(
  recording: Recording,
  schedule: Schedule,
  run: number,
  found: string,
  call: ReplayCall,
): ExplorationError {
  const text = formatSchedule(schedule);
  const table = interleavingTable(recording);
  const message = `${found}: ${describe(recording.result)}\n\n${table}\n\n` +
    `  ${call(JSON.stringify(text))}   // seed ${schedule.seed}` +
    (recording.preemptions > 0 ? "; * marks where another task could have gone on" : "");
  return new ExplorationError(message, {
    schedule: text,
    run,
    preemptions: recording.preemptions,
    table,
    cause: recording.result,
  });
}
