/**
 * Positions: the line of the user's code in a stack.
 */

/**
 * Where this package is, up to and with `src/`; undefined in a bundle, in which nothing tells its
 * files apart.
 */
const OWN_FILES: string | undefined = new Error().stack
  ?.match(/[^\s(]*(?=testing\/explore\/positions\.\w+)/)?.[0];

/** A frame: its file, without folders, and the line. */
const FRAME = /([^/\\(\s]+:\d+):\d+\)?$/;
/** Frames of the runtime itself. */
const RUNTIME = /\b(node|ext|bun):/;

/**
 * The first frame of a stack that is neither of this package nor of the runtime, as "file.ts:12";
 * empty where there is none.
 */
export function userPosition(stack: string): string {
  for (const line of stack.split("\n")) {
    if (OWN_FILES !== undefined && line.includes(OWN_FILES)) continue;
    const position = RUNTIME.test(line) ? null : FRAME.exec(line);
    if (position !== null) return position[1];
  }
  return "";
}
