/**
 * Stacks: where coroutines stand, and how an error tells it (R36).
 *
 * A generator that waits is not on the native stack. Its position is known only while it is being
 * resumed, and only to code that runs inside it: so `Command.throw`, which `yield*` calls on the
 * coroutine's own stack, is the one place where an error gets the stack of the coroutine that it
 * enters. Errors that need this are noted where they arise (`noteThrown`, `noteArrived`). All
 * others have a stack of their own already: those that users throw, and those of other coroutines.
 *
 * Invariant: a stack shows the frames of users first, and frames of this package only where there
 * are no others. Independent of: loops and tasks. Reads the format of V8; elsewhere stacks stay as
 * the engine made them.
 */
import { headOf, isCancelled, isError } from "./errors.ts";

/** The functions of step.ts, below those of a coroutine; they tell a user nothing. */
const DRIVER = /^ +at (?:resumeTask|resumeAbruptly|driveTask|stepTask|runBatch) \(/;
/** What an engine puts between a generator and its driver. */
const GLUE = /^ +at [\w$.]+\.(?:next|throw|return) \(<anonymous>\)$/;
/** A line of a stack that is a frame, and not part of the message. */
const FRAME = /^ +at /;

let ownFolder: string | undefined;

/** Whether a frame is in the sources of this package. A bundle does not tell them apart. */
function isOwn(line: string): boolean {
  if (ownFolder === undefined) {
    const here = /[( ](\S+[\\/])kernel[\\/]stack\.\w+:/.exec(String(new Error().stack));
    ownFolder = here === null ? "" : here[1];
  }
  return ownFolder !== "" && line.includes(ownFolder);
}

/** The frames of a stack that are a coroutine's. */
export function coroutineFrames(lines: string[]): string[] {
  const end = lines.findIndex((line) => DRIVER.test(line));
  return (end < 0 ? lines : lines.slice(0, end)).filter((line) => !GLUE.test(line));
}

/** The same without frames of this package, unless there are no others. */
function userFrames(lines: string[]): string[] {
  const frames = coroutineFrames(lines);
  const others = frames.filter((line) => !isOwn(line));
  return others.length > 0 ? others : frames;
}

/** The stack below the call of `above`: of a coroutine, as far as `yield*` reaches. */
export function coroutineStack(above: (...args: never[]) => unknown): string {
  return framesOf(captureStack(above));
}

/**
 * A stack that was captured and not yet made into text: capturing costs 2 us, the text 10 to 40.
 */
export interface CapturedStack {
  readonly stack?: unknown;
}

/** The raw stack below the call of `above`. */
export function captureStack(above: (...args: never[]) => unknown): CapturedStack {
  const { captureStackTrace } = Error as {
    captureStackTrace?(target: object, above: unknown): void;
  };
  if (captureStackTrace === undefined) return new Error();
  const holder: CapturedStack = {};
  try {
    captureStackTrace(holder, above);
  } catch {
    // A `prepareStackTrace` of somebody's that throws.
  }
  return holder;
}

/** The frames of a captured stack. */
export function framesOf(captured: CapturedStack): string {
  try {
    const { stack } = captured;
    return typeof stack === "string"
      ? userFrames(stack.split("\n").filter(isFrame)).join("\n")
      : "";
  } catch {
    return ""; // as above
  }
}

function isFrame(line: string): boolean {
  return FRAME.test(line);
}

/** Errors that have not entered a coroutine yet, and what is said above its frames. */
const entering = new WeakMap<object, string>();

/** Notes that `error` was made by an operation, on the stack of the loop. */
export function noteThrown(error: unknown): void {
  if (isError(error) && !isCancelled(error)) entering.set(error, "");
}

/** Notes that `error` was made elsewhere, by another task or outside the loop, and ends a wait. */
export function noteArrived(error: unknown): void {
  if (isError(error) && !isCancelled(error)) {
    entering.set(error, "while the coroutine waited:");
  }
}

/**
 * Gives an error that was noted the stack of the coroutine in which `above` is called. Where no
 * coroutine is on the stack, as where an operation is a frame by itself, the next one outwards gets
 * its turn.
 */
export function placeError(error: unknown, above: (...args: never[]) => unknown): void {
  const title = typeof error === "object" && error !== null ? entering.get(error) : undefined;
  if (title === undefined) return;
  const frames = coroutineStack(above);
  if (frames === "") return;
  entering.delete(error as Error);
  try {
    const lines = (error as Error).stack?.split("\n").filter(isFrame) ?? [];
    const end = lines.findIndex((line) => DRIVER.test(line) || isOwn(line));
    if (end === 0 || lines.length === 0) return setStack(error as Error, frames);
    // It comes from code of the user's, as a callback that an operation called, or a promise.
    if (title !== "") return appendStack(error, title, frames);
    setStack(error as Error, [...lines.slice(0, end < 0 ? undefined : end), frames].join("\n"));
  } catch {
    // An error that is frozen or behaves badly keeps the stack it has.
  }
}

/**
 * Puts `frames` in the place of the frames of the loop, in the stack of an error that comes out of
 * a run, and a note below.
 */
export function replaceLoopFrames(error: unknown, frames: string, note: string = ""): void {
  try {
    if (!isError(error) || typeof error.stack !== "string") return;
    if (note !== "") error.stack += `\n    (${note})`;
    const lines = error.stack.split("\n");
    const start = lines.findIndex((line) => DRIVER.test(line));
    if (start < 0) return;
    let end = start;
    while (end < lines.length && FRAME.test(lines[end])) end++;
    const head = lines.slice(0, start).filter((line) => !GLUE.test(line));
    error.stack = [...head, ...(frames === "" ? [] : [frames]), ...lines.slice(end)].join("\n");
  } catch {
    // An error that is frozen or behaves badly keeps the stack it has.
  }
}

/** Replaces the stack of an error that the loop made by one that says more. */
export function setStack(error: Error, frames: string): void {
  error.stack = `${headOf(error)}${frames && `\n${frames}`}`;
}

/** Adds where a coroutine stood to the stack of an error that was made elsewhere. */
export function appendStack(error: unknown, title: string, frames: string): void {
  try {
    if (!isError(error) || frames === "" || error.stack?.includes(frames)) return;
    error.stack = `${error.stack ?? headOf(error)}\n    ${title}\n${frames}`;
  } catch {
    // An error that is frozen or behaves badly keeps the stack it has.
  }
}
