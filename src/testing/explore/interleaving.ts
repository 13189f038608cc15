/**
 * The interleaving of a run as a table: one column a task, one line a step.
 */
import type { Recording, Step } from "./recording.ts";

/** How wide the table may be, in characters. */
const WIDTH = 110;
/** Narrower columns say too little: then each line names its task instead. */
const MIN_COLUMN = 18;
/** Of a long run the beginning and the end are shown. */
const MAX_LINES = 80;
const SEPARATOR = "  ";

/** The table, in lines. A `*` marks a step before which another task could have gone on. */
export function interleavingTable({ steps }: Recording): string {
  if (steps.length === 0) return "  It failed before any task had run.";
  const names = namesOf(steps);
  const tasks = [...names.keys()].sort((a, b) => a - b);
  const width = Math.floor((WIDTH - 8) / tasks.length) - SEPARATOR.length;
  const files = new Set(steps.filter(({ at }) => at !== "").map(({ at }) => at.split(":", 1)[0]));
  const [file] = files;
  const shown = files.size === 1
    ? steps.map((step) => ({ ...step, at: step.at.slice(file.length) }))
    : steps;
  const lines = width < MIN_COLUMN ? listOf(shown, names) : columnsOf(shown, tasks, names, width);
  return (files.size === 1 ? `  in ${file}\n` : "") + shortened(lines).join("\n");
}

function columnsOf(
  steps: readonly Step[],
  tasks: readonly number[],
  names: ReadonlyMap<number, string>,
  width: number,
): string[] {
  const cell = (text: string) => cut(text, width).padEnd(width);
  const lines = [
    `  step  ${tasks.map((task) => cell(names.get(task)!)).join(SEPARATOR)}`.trimEnd(),
  ];
  forEachRow(steps, (step, i, text) => {
    for (const event of step.before) lines.push(`        -- ${event}`);
    const indent = " ".repeat(tasks.indexOf(step.task) * (width + SEPARATOR.length));
    lines.push(head(step, i) + indent + cut(text, width));
  });
  return lines;
}

/** The names of the tasks, by id; where several have the same, with the id behind it. */
function namesOf(steps: readonly Step[]): Map<number, string> {
  const names = new Map<number, string>();
  for (const { task, name } of steps) names.set(task, name);
  const uses = new Map<string, number>();
  for (const name of names.values()) uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const [task, name] of names) if (uses.get(name)! > 1) names.set(task, `${name} #${task}`);
  return names;
}

function listOf(steps: readonly Step[], names: ReadonlyMap<number, string>): string[] {
  const lines: string[] = [];
  forEachRow(steps, (step, i, text) => {
    for (const event of step.before) lines.push(`        -- ${event}`);
    lines.push(`${head(step, i)}${cut(`${names.get(step.task)}: ${text}`, WIDTH - 8)}`);
  });
  return lines;
}

/**
 * Steps of one task that follow each other and stop at the same place are one row: "3 times:
 * seats.ts:12 ...".
 */
function forEachRow(
  steps: readonly Step[],
  show: (step: Step, i: number, text: string) => void,
): void {
  for (let i = 0; i < steps.length;) {
    const step = steps[i];
    const text = textOf(step);
    let end = i + 1;
    while (end < steps.length && continues(steps[end], step) && textOf(steps[end]) === text) end++;
    show(step, i, end - i > 1 ? `${end - i} times: ${text}` : text);
    i = end;
  }
}

function continues(next: Step, step: Step): boolean {
  return next.task === step.task && next.before.length === 0 && next.preempted === null;
}

function head({ preempted }: Step, i: number): string {
  return `${String(i + 1).padStart(6)}${preempted === null ? " " : "*"} `;
}

/** The name of a file, its line, and what the task does there. */
function textOf({ at, doing }: Step): string {
  return at === "" ? doing : `${at} ${doing}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function shortened(lines: string[]): string[] {
  if (lines.length <= MAX_LINES) return lines;
  const half = MAX_LINES >> 1;
  const left = lines.length - 2 * half;
  return [...lines.slice(0, half), `        ... ${left} lines ...`, ...lines.slice(-half)];
}
