/** All rows, in the order of the table. */

import { callRows } from "./call.ts";
import { channelRows } from "./channel.ts";
import { childrenRows } from "./children.ts";
import { everydayRows } from "./everyday.ts";
import { growthRows } from "./growth.ts";
import { inPlaceRows } from "./in_place.ts";
import { lockRows } from "./lock.ts";
import { memoryRows } from "./memory.ts";
import { portalRows } from "./portal.ts";
import { runRows } from "./run.ts";
import { sleepRows } from "./sleep.ts";
import { switchRows } from "./switch.ts";
import type { Row } from "../row.ts";

export const allRows: readonly Row[] = [
  ...switchRows,
  ...callRows,
  ...childrenRows,
  ...sleepRows,
  ...memoryRows,
  ...channelRows,
  ...lockRows,
  ...inPlaceRows,
  ...runRows,
  ...portalRows,
  ...everydayRows,
  ...growthRows,
];
