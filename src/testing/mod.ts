/**
 * Tools for tests of programs that use `@broomio/core`.
 *
 * @module
 */
export { MemoryListener } from "./memory_listener.ts";
export { memoryNetwork } from "./memory_network.ts";
export { type MemoryStream, type MemoryStreamOptions, memoryStreamPair } from "./memory_stream.ts";
export { VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
