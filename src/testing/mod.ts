/**
 * Tools for tests of programs that use `@broomio/core`.
 *
 * @module
 */
export { VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
