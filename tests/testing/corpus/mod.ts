/** The corpus: known bugs and their correct twins. */
import type { Bug } from "./bug.ts";
import { cancelBugs } from "./cancel_bugs.ts";
import { stateBugs } from "./state_bugs.ts";
import { waitBugs } from "./wait_bugs.ts";

export type { Bug } from "./bug.ts";
export const bugs: readonly Bug[] = [...stateBugs, ...waitBugs, ...cancelBugs];
