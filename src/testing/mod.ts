/**
 * Tools for tests of programs that use `@broomio/core`.
 *
 * @module
 */
export { memoryStreamPair, type MemoryStreamOptions } from "./memory_stream.ts";
export { VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
