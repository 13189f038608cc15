/**
 * OpenWait: the wait until a listener or a connection is open.
 *
 * Invariant: what is opened is given to the task or closed: also what a backend opens after the
 * wait was cancelled or timed out (R37). Independent of: what is opened.
 */
import type { Attempt, Network } from "./network.ts";
import type { Address } from "../stream.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { Wait } from "../kernel/wait.ts";
import { networkOf } from "./backend.ts";
import { codeOf } from "../bytes/error_code.ts";
import { isHostName } from "./host_name.ts";
import { showAddress, SocketError } from "../bytes/socket_error.ts";

/** Begins an attempt; gives how to abandon it. */
export type Begin<Raw> = (network: Network, attempt: Attempt<Raw>) => (() => void) | void;

/** Waits for what `begin` opens, and gives it. */
export class OpenWait<Raw extends { close(): void }> extends Wait<Raw>
  implements Attempt<Raw>, Timed {
  static {
    this.prototype.external = true;
  }

  generation: number = 0;
  readonly #doing: string;
  readonly #address: Address;
  readonly #begin: Begin<Raw>;
  readonly #timeout: number;
  #abandon: (() => void) | void = undefined;

  /** @param doing For messages: "Cannot connect to". */
  constructor(doing: string, address: Address, begin: Begin<Raw>, timeout = Infinity) {
    super();
    this.#doing = doing;
    this.#address = address;
    this.#begin = begin;
    this.#timeout = timeout;
  }

  protected arm(task: TaskCore): void {
    const { scheduler } = task;
    const address = this.#address;
    if (address.transport !== "unix" && !isHostName(address.hostname)) {
      return this.failed("ENOTFOUND", undefined);
    }
    try {
      this.#abandon = this.#begin(networkOf(scheduler.loop), this);
    } catch (error) {
      return this.failed(codeOf(error), error);
    }
    if (this.task !== null && this.#timeout !== Infinity) {
      scheduler.addTimer(scheduler.host.now() + this.#timeout, this);
    }
  }

  protected disarm(task: TaskCore): void {
    task.scheduler.timers.cancel(this);
    this.#abandon?.();
  }

  opened(raw: Raw): void {
    const { task } = this;
    if (task === null) return raw.close();
    task.scheduler.timers.cancel(this);
    this.settle(raw);
  }

  failed(code: string, cause: unknown): void {
    this.task?.scheduler.timers.cancel(this);
    this.fail(new SocketError(this.#doing, code, this.#address, cause));
  }

  expire(): void {
    this.fail(new SocketError(this.#doing, "ETIMEDOUT", this.#address));
    this.#abandon?.();
  }

  describe(): string {
    const to = this.#doing.replace(/^Cannot /, "waiting to ");
    return `${to} ${showAddress(this.#address)}`;
  }
}
