/**
 * Positions: the line of the user's code in a stack.
 */

/**
 * Where this package is, up to and with `src/`; undefined in a bundle, in which nothing tells its
 * files apart.
 */
const OWN_FILES: string | undefined = new Error().stack
  ?.match(/[^\s(]*(?=testing\/explore\/positions\.\w+)/)?.[0];

/**
 * The first frame of a stack that is not one of this package, as "file.ts:12"; empty where there is
 * none.
 */
export function userPosition(stack: string): string {
  const frames = stack.split("\n");
  const own = OWN_FILES;
  const frame = own === undefined ? frames[0] : frames.find((line) => !line.includes(own));
  return frame?.match(/([^/\\(\s]+:\d+):\d+\)?$/)?.[1] ?? "";
}
