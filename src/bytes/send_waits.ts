/**
 * send_waits: the operations of the sending half of a socket: send, shut down, drain.
 *
 * Invariant: a wait is in the sender's slot exactly while its task waits there. Independent of: how
 * bytes are coalesced and written.
 */
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { checkBytes } from "./check_bytes.ts";
import { IoWait } from "./io_wait.ts";
import type { RawSendStream } from "./raw_stream.ts";
import type { Sender, SendWaiter } from "./sender.ts";

/** Waits for its turn to send. */
abstract class SendingWait extends IoWait<void> implements SendWaiter {
  declare protected readonly sender: Sender;

  constructor(sender: Sender) {
    super();
    this.sender = sender;
  }

  protected get source(): RawSendStream {
    return this.sender.raw;
  }

  protected disarm(_task?: TaskCore): void {
    this.sender.abandon();
  }

  abstract proceed(): void;

  roomFreed(): void {}

  describe(): string {
    return `sending to ${this.sender.peer}`;
  }
}

/** `send`. */
export class Send extends SendingWait {
  declare private readonly bytes: Uint8Array;

  constructor(sender: Sender, bytes: Uint8Array) {
    super(sender);
    this.bytes = checkBytes(bytes);
  }

  /**
   * The first few small messages since the last flush go out without a turn for the others. Thus
   * replies are written while the processor still has the connection in its cache. A cancel in
   * force is met before each of them (R17).
   */
  override perform(task: TaskCore): boolean {
    if (task.scope.cause !== null || !this.sender.admitQuick(this.bytes)) {
      return super.perform(task);
    }
    this.begin();
    this.sender.coalesce(this.bytes);
    return true;
  }

  protected arm(): void {
    if (this.sender.begin(this, this.bytes)) this.settle();
  }

  override roomFreed(): void {
    this.sender.retryCoalesce(this, this.bytes);
  }

  proceed(): void {
    this.sender.sendDirectly(this.bytes);
  }
}

/** `shutdown`. */
export class Shutdown extends SendingWait {
  protected arm(): void {
    if (this.sender.beginShutdown(this)) this.settle();
  }

  proceed(): void {
    this.sender.finish();
  }
}

/**
 * Waits until all that was sent is with the system; throws where that failed, or takes too long:
 * the connection is then broken, so that closing it cuts it off.
 */
export class Drain extends SendingWait implements Timed {
  generation: number = 0;
  declare private readonly limit: number;

  /** @param limit How long it may take, in seconds. */
  constructor(sender: Sender, limit: number = Infinity) {
    super(sender);
    this.limit = limit;
  }

  protected arm(task: TaskCore): void {
    this.sender.check();
    this.sender.queue(this);
    if (this.task === null || this.limit === Infinity) return;
    const { scheduler } = task;
    scheduler.addTimer(scheduler.host.now() + this.limit, this);
  }

  protected override disarm(task: TaskCore): void {
    task.scheduler.timers.cancel(this);
    super.disarm();
  }

  proceed(): void {
    this.sender.waiter = null;
    this.task?.scheduler.timers.cancel(this);
    this.settle();
  }

  override fail(error: unknown): void {
    this.task?.scheduler.timers.cancel(this);
    super.fail(error);
  }

  expire(): void {
    this.sender.break("ETIMEDOUT");
  }
}
