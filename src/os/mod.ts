/**
 * The operating system: signals.
 *
 * @module
 */
export { type Signal, signals } from "./signals.ts";
