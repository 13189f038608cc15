/**
 * The operating system: processes, signals, and the start and end of a program, on Deno, Node and
 * Bun.
 *
 * A process belongs to the scope that it was started in, with the processes that it has started
 * itself: however the scope is left, they are gone then.
 *
 * ```ts
 * import { moveOnAfter } from "jsr:@broomio/core";
 * import { BufferedReader } from "jsr:@broomio/core/net";
 * import { main, Process, runProcess } from "jsr:@broomio/core/os";
 *
 * await main(function* () {
 *   const { stdout } = yield* runProcess("sort", ["-n"], { input: "10\n9\n", timeout: 10 });
 *   console.log(stdout); // "9\n10\n"
 *
 *   yield* moveOnAfter(0.5, function* () {
 *     const stdout = "pipe";
 *     const log = yield* Process.start("sh", ["-c", "echo an error; sleep 60"], { stdout });
 *     const errors = yield* Process.start("grep", ["error"], { stdin: log.stdout, stdout });
 *     yield* new BufferedReader(errors.stdout).lines(function* (line) {
 *       console.log(line);
 *     });
 *   }); // both have ended, and the sleep too
 * });
 * ```
 *
 * ## Processes
 *
 * - Leaving the scope sends SIGTERM to the group, after `grace` SIGKILL, and waits until all of it
 *   is gone and the pipes are closed. A cancel, an error, a timeout and the end of the body do the
 *   same; `stop()` does it before. `group: false` is for what needs the terminal, as an editor
 *   does: then the process alone is ended.
 * - `stdin`, `stdout` and `stderr` are each "inherit", "null", "pipe", `{ file }` or a stream of
 *   another process, which pipes the two. Pipes are halves of a byte stream: a
 *   `BufferedReader` of `@broomio/core/net` reads their lines. What nobody reads stops
 *   the process once the pipe is full; so read `stdout` and `stderr` side by side, or send one
 *   elsewhere.
 * - `wait()` waits for the process, not for its children, which may hold its pipes. After the end
 *   what was printed can still be read.
 * - {@linkcode runProcess} collects what is printed, up to `maxOutput`, and throws a
 *   {@linkcode ProcessError} for a code other than 0. What cannot be started is a
 *   {@linkcode ProcessStartError} with the POSIX code.
 * - A process that leaves the group is not ended with it: a daemon (`setsid`), or what a shell with
 *   job control starts.
 * - When the program ends by `exit`, by an error or by a second Ctrl-C, the groups that are left
 *   are killed. SIGKILL of the program, or a signal that nobody listens to, leaves them alive: a
 *   process with a group of its own does not get the terminal's Ctrl-C. {@linkcode main} listens to
 *   SIGINT and SIGTERM.
 *
 * ## Programs and signals
 *
 * - {@linkcode main} runs a program. Ctrl-C and SIGTERM cancel it, its cleanup runs, and it ends as
 *   by that signal; a second one ends it at once. An error is printed once, with exit code 1;
 *   {@linkcode exit} unwinds first; output that was not awaited arrives.
 * - {@linkcode openSignalReceiver} goes on listening while a signal is handled: to read settings
 *   again at each SIGHUP. {@linkcode signals} waits for one signal, and then the next one does what
 *   it does by default.
 *
 * ## What differs from runtime to runtime
 *
 * - Deno: starting a process needs `--allow-run=command`; ending its children with it needs
 *   `--allow-run` without a list, and without that there is one warning. Whether a process is a
 *   zombie is seen in `/proc`, which needs all permissions; without them a stop may take the whole
 *   grace, where a child of the process outlived it and the system's first process does not collect
 *   it. A process that writes to a file is copied from, as Deno gives files to none.
 * - Deno: an uncaught error, or a rejection that nobody handles, kills the groups that are left as
 *   it ends the program. A program that survives those (`preventDefault`) listens to them before it
 *   starts processes.
 * - Node: outputs are read by undocumented internals where those are as expected, which is a half
 *   faster; with `internals: false` by documented API alone.
 * - Node and Bun: a process that a real-time signal ended is told of as one that ended well. Their
 *   pipes are pairs of sockets: what writes to a reader that has gone may get an error instead of
 *   SIGPIPE.
 * - Bun: sending to a process that has closed its input may succeed.
 * - Windows: there are no groups, and most signals are none; this is not tested there.
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
