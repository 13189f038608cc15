/**
 * The error that tells of a schedule: what failed, who ran when, and how to run it again.
 */
import { ExplorationError } from "./exploration.ts";
import { describe } from "./failure.ts";
import { interleavingTable } from "./interleaving.ts";
import type { Recording } from "./recording.ts";
import { formatSchedule, type Schedule } from "./schedule.ts";

/** The error that tells of a schedule. */
export function explain(
  recording: Recording,
  schedule: Schedule,
  run: number,
  found: string,
): ExplorationError {
  const text = formatSchedule(schedule);
  const table = interleavingTable(recording);
  const message = `${found}: ${describe(recording.result)}\n\n${table}\n\n` +
    `  replay(program, ${JSON.stringify(text)})   // seed ${schedule.seed}` +
    (recording.preemptions > 0 ? "; * marks where another task could have gone on" : "");
  return new ExplorationError(message, {
    schedule: text,
    run,
    preemptions: recording.preemptions,
    table,
    cause: recording.result,
  });
}
