/**
 * Programs that are right and programs that are wrong, for each rule.
 *
 * In a wrong one a mark, `/*!*\/`, stands before each place that is reported. `fixed` is what the
 * fix makes of it.
 */
import blocking from "./blocking.ts";
import bodies from "./bodies.ts";
import callbacks from "./callbacks.ts";
import cancelled from "./cancelled.ts";
import floating from "./floating.ts";
import yields from "./yields.ts";

/** The programs of one rule. */
export interface Cases {
  readonly right: readonly string[];
  readonly wrong: readonly (string | { readonly code: string; readonly fixed: string })[];
}

/** What every program has at its head, unless it begins with an import of its own. */
const HEAD =
  `import { abortSignal, all, call, Cancelled, CancelScope, CapacityLimiter, checkpoint, type Coroutine, currentTask, each, ensure, Event, failAfter, Lock, Loop, moveOnAfter, Nursery, openChannel, type Operation, race, type Receiver, select, shield, sleep, sleepForever, suspend, type Task, until } from "jsr:@broomio/core";
import { type ByteStream, TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
`;

/** The whole text of a program. */
export const whole = (code: string): string =>
  /^\s*(?:import\b|const \{[^;]*(?:require|import)\()/.test(code) ? code : HEAD + code;

/** The programs, by rule. */
export const CASES: Readonly<Record<string, Cases>> = {
  ...floating,
  ...yields,
  ...cancelled,
  ...bodies,
  ...blocking,
  ...callbacks,
};
