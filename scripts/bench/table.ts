/** The result as a person reads it: one line a row, ours first, then each peer with its ratio, bar and mark. */

import { median, medianRatio } from "./measure.ts";
import { sideNames } from "./row.ts";
import type { Report } from "./child.ts";
import type { GrowthRow, MemoryRow, SideName, TimeRow } from "./row.ts";

/** What was found for one side of one row. */
export interface Cell {
  readonly side: SideName;
  /** Nanoseconds or bytes per item. */
  readonly value?: number;
  /** Ours by theirs. */
  readonly ratio?: number;
  /** The best round of ours by the best of theirs: what is left when the machine's noise is gone. */
  readonly best?: number;
  readonly bar?: number;
  readonly ok?: boolean;
  readonly error?: string;
}

/** The verdict on a timed or weighed row, a cell per side. Ratios are taken within a process where it had both sides. */
export function judge(row: TimeRow | MemoryRow, reports: readonly Report[]): Cell[] {
  const onNode = reports.some(({ runtime }) => runtime.startsWith("node"));
  const bars = (onNode ? row.nodeBars : undefined) ?? row.bars;
  const samplesOf = (side: SideName) => reports.find(({ samples }) => samples[side])?.samples;
  return sideNames.map((side) => {
    const together = samplesOf(side);
    if (together === undefined) {
      return {
        side,
        error: reports.find(({ errors }) => errors[side])?.errors[side],
      };
    }
    const value = median(together[side]!);
    const ours = together.broomio ?? samplesOf("broomio")?.broomio;
    if (side === "broomio" || ours === undefined) return { side, value };
    const ratio = medianRatio(ours, together[side]!);
    const bar = bars[side];
    const best = Math.min(...ours) / Math.min(...together[side]!);
    return { side, value, ratio, best, bar, ok: bar === undefined ? undefined : ratio <= bar };
  });
}

/** What several processes found for the same row and sides, as one report: their rounds one after the other. */
export function mergeReports(reports: readonly Report[]): Report {
  const [first, ...others] = reports;
  return others.reduce<Report>((merged, { samples, errors, alone, missing }) => {
    const sides = sideNames.filter((side) => merged.samples[side] && samples[side]);
    return {
      ...merged,
      samples: Object.fromEntries(
        sides.map((side) => [side, [...merged.samples[side]!, ...samples[side]!]]),
      ),
      errors: { ...errors, ...merged.errors },
      alone: alone === undefined ? merged.alone : Math.min(alone, merged.alone ?? alone),
      missing: merged.missing ?? missing,
    };
  }, first);
}

/** Cost per item of each size, and how much dearer the largest is than the smallest. */
export interface Growth {
  readonly side: SideName;
  readonly costs: Readonly<Record<number, number>>;
  readonly factor: number;
  readonly ok?: boolean;
  readonly error?: string;
}

/** Linear enough: caches and collections may cost this much between the smallest and the largest size, never more. */
export const growthBar = 4;

export function judgeGrowth(row: GrowthRow, reports: readonly Report[]): Growth[] {
  const found: Growth[] = [];
  for (const { side, sizes, errors } of reports.flatMap(growthSides)) {
    const measured = row.sizes.filter((size) => sizes[size]?.length);
    const costs = Object.fromEntries(measured.map((size) => [size, median(sizes[size])]));
    const factor = costs[measured[measured.length - 1]] / costs[measured[0]];
    const ok = side === "broomio" ? factor <= growthBar : undefined;
    found.push({ side, costs, factor, ok, error: errors[side] });
  }
  return found;
}

function growthSides({ sizes, errors }: Report) {
  return sideNames.flatMap((side) => sizes?.[side] ? [{ side, sizes: sizes[side], errors }] : []);
}

const titleWidth = 36;
const VERDICT_WIDTH = 24;

export function timeHeading(): string {
  return "".padEnd(titleWidth) + "ours".padStart(9) + heading("async") + heading("Effect 4") +
    heading("Effection 4");
}

function heading(name: string): string {
  return " | " + name.padStart(9) + "  ratio (bar) [best]".padEnd(VERDICT_WIDTH + 2);
}

export function timeLine(
  row: TimeRow | MemoryRow,
  cells: readonly Cell[],
  reports: readonly Report[],
): string {
  const unit = row.kind === "memory" ? " B" : " ns";
  const hidden = row.kind === "time" && row.sides.base !== undefined ? "async" : "base";
  const [ours, ...theirs] = cells.filter(({ side }) => side !== hidden);
  let line = row.title.padEnd(titleWidth) + show(ours, unit).padStart(9);
  for (const cell of theirs) {
    line += " | " + show(cell, unit).padStart(9) + "  " + verdict(cell).padEnd(VERDICT_WIDTH);
  }
  line = line.trimEnd();
  for (const cell of cells) {
    if (cell.error !== undefined) line += `\n    ${cell.side}: ${cell.error}`;
  }
  const alone = reports.find((report) => report.alone !== undefined)?.alone;
  const plain = Math.min(...reports.flatMap(({ samples }) => samples.async ?? []));
  if (alone !== undefined && plain > alone * 1.25) {
    const factor = (plain / alone).toFixed(2);
    line +=
      `\n    note: async is ${factor}x slower after the library was loaded, unless the machine got busier (${
        figure(alone)
      } ns before)`;
  }
  return line;
}

export function growthHeading(sizes: readonly number[]): string {
  const columns = sizes.map((size) => size.toLocaleString("en").padStart(12)).join("");
  return "per item, at".padEnd(titleWidth) + columns + "  largest / smallest (bar)";
}

export function growthLines(row: GrowthRow, growths: readonly Growth[]): string {
  return growths.map(({ side, costs, factor, ok, error }) => {
    const title = side === "broomio" ? row.title : `  the same, ${side}`;
    const columns = row.sizes.map((size) => {
      const cost = costs[size];
      return (cost === undefined ? "-" : `${figure(cost)} ns`).padStart(12);
    });
    const end = Number.isNaN(factor)
      ? ""
      : `  ${factor.toFixed(2)}x${ok === undefined ? "" : ` (${growthBar}) ${mark(ok)}`}`;
    return title.padEnd(titleWidth) + columns.join("") + end +
      (error === undefined ? "" : `\n    ${side}: ${error}`);
  }).join("\n");
}

function show(cell: Cell, unit: string): string {
  return cell.value === undefined ? "-" : figure(cell.value) + unit;
}

function verdict({ ratio, best, bar, ok }: Cell): string {
  if (ratio === undefined) return "";
  const limit = bar === undefined ? "" : ` (${bar})`;
  return `${times(ratio)}${limit}${ok === undefined ? "" : ` ${mark(ok)}`}${
    best === undefined ? "" : ` [${times(best).slice(0, -1)}]`
  }`;
}

/** A ratio. */
export function times(value: number): string {
  return `${value < 0.1 ? value.toPrecision(2) : value.toFixed(2)}x`;
}

export function mark(ok: boolean): string {
  return ok ? "ok" : "OVER";
}

export function figure(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toString();
}
