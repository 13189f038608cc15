/**
 * Tools for tests of programs that use `@broomio/core`.
 *
 * @module
 */
export { MemoryListener } from "./memory_listener.ts";
export { type MemoryStreamOptions, memoryStreamPair } from "./memory_stream.ts";
export { VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
