/**
 * Child processes of Deno, Node and Bun, with a channel of `fork`.
 *
 * Messages are serialized here, and cross as bytes: so what cannot be cloned throws at once and
 * where it was sent, on every runtime. (Deno's `send` would report it later, as an error of the
 * whole channel, and stop.) The module in the child can send messages of its own: what is not bytes
 * in our format is passed on as it is, and the pool ignores it.
 */
import { builtin } from "../runtime/builtin.ts";
import { parallelism } from "./parallelism.ts";
import { type Backend, unreadable, type WorkerListener } from "./protocol.ts";

/** The part of `node:child_process` that is used here. */
interface ChildProcesses {
  fork(module: string, args: readonly string[], options: object): {
    on(event: string, listener: (first: never, second: never) => void): void;
    send(message: unknown, callback: (error: unknown) => void): void;
    readonly connected: boolean;
    disconnect(): void;
    kill(signal: string): void;
  };
}

interface V8 {
  serialize(value: unknown): Uint8Array;
  deserialize(bytes: Uint8Array): unknown;
}

/** Makes the backend; `entry` is the address of `worker_process.ts`. */
export function nodeProcesses(entry: string): Backend {
  const { fork } = builtin<ChildProcesses>("node:child_process")!;
  const { serialize, deserialize } = builtin<V8>("node:v8")!;
  const { fileURLToPath } = builtin<{ fileURLToPath(url: string): string }>("node:url")!;
  const path = entry.startsWith("file:") ? fileURLToPath(entry) : entry;

  const [firstByte] = serialize(null);
  /** Whether a message is in our format: the first byte is the version that the engine writes. */
  const isSerialized = (message: unknown): message is Uint8Array =>
    message instanceof Uint8Array && message[0] === firstByte;

  return {
    parallelism: parallelism(),
    start(listener: WorkerListener) {
      const child = fork(path, [], { serialization: "advanced" });
      let error: unknown;
      /**
       * Set once the process has ended; its last messages may come later, until the channel is
       * closed.
       */
      let how: string | undefined;
      let ended = false;
      const end = () => {
        if (ended || how === undefined || child.connected) return;
        ended = true;
        listener.ended({ how, error });
      };
      let broken = false;
      child.on("message", (message: unknown) => {
        if (broken) return; // what follows was sent before the signal arrived
        let content = message;
        try {
          if (isSerialized(message)) content = deserialize(message);
        } catch (cause) {
          error = unreadable(cause);
          broken = true;
          return child.kill("SIGKILL");
        }
        listener.received(content);
      });
      child.on("error", (cause: unknown) => {
        error = cause;
        if (!child.connected) how ??= "an error"; // it could not be started, and no exit follows
        end();
      });
      child.on("disconnect", end);
      child.on("exit", (code: number | null, signal: string | null) => {
        how = signal === null ? `exit code ${code}` : `signal ${signal}`;
        end();
      });
      return {
        post(message) {
          const bytes = serialize(message);
          // A channel that has just broken is reported by the exit of the process.
          if (child.connected) child.send(bytes, () => {});
        },
        stop: () => child.connected && child.disconnect(),
        kill: () => child.kill("SIGKILL"),
      };
    },
  };
}
