/**
 * The operating system: processes, signals, and the start and end of a program, on Deno, Node and
 * Bun.
 *
 * What differs from runtime to runtime
 * - Deno: starting a process needs `--allow-run=command`; ending its children with it needs
 *   `--allow-run` without a list, and without that there is one warning. Whether a process is a
 *   zombie is seen in `/proc`, which needs all permissions; without them a stop may take the whole
 *   grace, where a child of the process outlived it and the system's first process does not collect
 *   it. A process that writes to a file is copied from, as Deno gives files to none.
 * - Node and Bun: a process that a real-time signal ended is told of as one that ended well.
 * - Windows: there are no groups, and most signals are none; this is not tested there.
 * - A process with a group of its own does not get the terminal's Ctrl-C: this program ends it.
 *   With `main` it does so at SIGINT and SIGTERM; SIGKILL, or SIGHUP without a listener, leaves
 *   them alive.
 *
 * @module
 */
export type { Body, Coroutine, Operation, Trap } from "../kernel/coroutine.ts";
export type { Duration, DurationLike } from "../duration.ts";
export type { LoopOptions } from "../loop.ts";
export type { PipeAddress, ReceiveStream, SendStream, StreamPlace } from "../stream.ts";
export type { RawHalf, RawReceiveStream, RawSendStream } from "../bytes/raw_stream.ts";
export type { ReceiveEvents, SendEvents } from "../bytes/raw_stream.ts";
export { SocketError } from "../bytes/socket_error.ts";
export { LimitError } from "../kernel/errors.ts";
export { exit, main, type MainOptions } from "./main.ts";
export { Process, type ProcessStatus } from "./process.ts";
export { ProcessError, ProcessStartError } from "./process_error.ts";
export type {
  FileUrl,
  ProcessFile,
  ProcessOptions,
  StdinSource,
  StdoutTarget,
} from "./process_options.ts";
export { ProcessInput, ProcessOutput } from "./process_streams.ts";
export { type ProcessResult, runProcess, type RunProcessOptions } from "./run_process.ts";
export type { ProcessSignal, Signal } from "./signal_names.ts";
export { openSignalReceiver, type SignalReceiver } from "./signal_receiver.ts";
export { signals } from "./signals.ts";
