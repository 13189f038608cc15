/**
 * Pool: what a user has of a pool, whatever its workers are made of; and how one is opened.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkFunction, checkInteger, checkOptions, checkString } from "../check.ts";
import { Command } from "../kernel/command.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { addCleanup } from "../kernel/cancel_scope.ts";
import type { TaskCore } from "../kernel/task.ts";
import { CallWait } from "./call_wait.ts";
import { mapInOrder, type MapOptions } from "./map.ts";
import { PoolCore } from "./pool_core.ts";
import type { Backend } from "./protocol.ts";
import { checkAddress, checkPoolOptions } from "./settings.ts";
import type { PoolOptions, PoolSettings, PoolStatistics } from "./settings.ts";
import type { AnyModule, HandlerArguments, HandlerName, HandlerResult } from "./typed.ts";

/**
 * Workers that call the exports of one module: what {@linkcode ThreadPool.open} and
 * {@linkcode ProcessPool.open} give.
 *
 * @typeParam Module The module's type: `typeof import("./hash.ts")`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type Pool, ThreadPool } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const module = "data:text/javascript,export const add = (a, b) => a + b";
 * type Handlers = { add(a: number, b: number): number };
 *
 * // Of threads or of processes.
 * function* sumOf(pool: Pool<Handlers>, numbers: number[]) {
 *   let sum = 0;
 *   for (const n of numbers) sum = yield* pool.execute("add", sum, n);
 *   return sum;
 * }
 * await new Loop().run(function* () {
 *   const pool = yield* ThreadPool.open<Handlers>({ module, size: 1 });
 *   assertEquals(yield* sumOf(pool, [1, 2, 3]), 6);
 * }());
 * ```
 */
export interface Pool<Module = AnyModule> {
  /**
   * Calls the export `name` in a worker that has room, and gives its result: of a coroutine or an
   * async function, what it returns in the end. A checkpoint.
   *
   * Calls are taken first come, first served; each runs at most once. A call that waits for a
   * worker costs only its caller: its arguments are cloned when a worker takes it. To limit what
   * several pools do together, share a limiter: `limiter.with(pool.execute(...))`.
   *
   * Cancelled, it ends at once. A handler that is a coroutine is cancelled in the worker, cleanup
   * included; any other goes on, and nobody gets its result. Its worker is ended if it has not come
   * to an end within `cancelGrace`. So a cancelled call may have happened, as a cancelled `send`
   * may.
   *
   * @throws {WorkerError} If the worker ended before it answered, or none could be started.
   * @throws {PoolFullError} If `maxWaiting` calls wait already.
   * @throws {TypeError} If there is no such export, or an argument or the result cannot be cloned.
   * @throws {ClosedResourceError} If the pool has ended.
   * @throws What the handler throws: with its class name, message, stack, cause and fields; an
   * instance of its class where that is one of the language's.
   */
  execute<Name extends HandlerName<Module>>(
    name: Name,
    ...args: HandlerArguments<Module, Name>
  ): Selectable<HandlerResult<Module, Name>>;

  /**
   * Calls the export `name` once for each item, in several workers at a time, and gives the results
   * in the order of the items. A checkpoint.
   *
   * Items are taken as workers get to them, so there may be any number. The first error cancels the
   * other calls and is thrown.
   *
   * @throws {TypeError | RangeError} If an argument or option is not valid.
   */
  map<Name extends HandlerName<Module>>(
    items: Iterable<HandlerArguments<Module, Name>[0]>,
    name: Name,
    options?: MapOptions<HandlerArguments<Module, Name>[0], HandlerResult<Module, Name>>,
  ): Operation<HandlerResult<Module, Name>[]>;

  /** What goes on now. */
  statistics(): PoolStatistics;
}

/** Makes the operation behind `open`, called `by`; options are checked at once. */
export function openPool<Module>(
  options: PoolOptions,
  by: string,
  script: string,
  createBackend: (entry: string) => Backend,
): Operation<Pool<Module>> {
  const settings = checkPoolOptions(options, by);
  const entry = options.entry === undefined
    ? besideThis(script)
    : checkAddress(options.entry, "entry");
  return open();

  function* open(): Coroutine<Pool<Module>> {
    const backend = createBackend(entry);
    return yield* openWith<Module>(backend, settings(backend.parallelism));
  }
}

/** Opens a pool on a backend. */
export function* openWith<Module>(
  backend: Backend,
  settings: PoolSettings,
): Coroutine<Pool<Module>> {
  const core = yield* new CreatePool(backend, settings);
  yield* core.opening();
  return new PoolHandle<Module>(core);
}

/**
 * The address of a script in this folder. Its name ends as this file's does: `.ts` here and on JSR,
 * `.js` in the npm package, where imports are rewritten but `new URL("./worker_thread.ts",
 * import.meta.url)` is not.
 */
function besideThis(script: string): string {
  return import.meta.url.replace(/[^/]*?(\.[a-z]+)([?#].*)?$/, `${script}$1`);
}

/**
 * Never called. Packers ship what is imported somewhere, and the scripts that workers start from
 * are not.
 */
export const shipped: (() => Promise<unknown>)[] = [
  () => import("./worker_thread.ts"),
  () => import("./worker_process.ts"),
  () => import("./worker_browser.ts"),
];

/** Makes a pool that ends with the surrounding scope. */
class CreatePool extends Command<PoolCore> {
  readonly #backend: Backend;
  readonly #settings: PoolSettings;

  constructor(backend: Backend, settings: PoolSettings) {
    super();
    this.#backend = backend;
    this.#settings = settings;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    const core = new PoolCore(this.#backend, this.#settings, task);
    addCleanup(task, () => core.closing());
    task.value = core;
    return true;
  }

  describe(): string {
    return "opening a pool";
  }
}

const MAP_OPTIONS = ["inFlight", "each"] as const;

/** The public half: what it gives a user is checked here, and the core sees only valid calls. */
class PoolHandle<Module> implements Pool<Module> {
  readonly #core: PoolCore;

  constructor(core: PoolCore) {
    this.#core = core;
  }

  execute<Name extends HandlerName<Module>>(
    name: Name,
    ...args: HandlerArguments<Module, Name>
  ): Selectable<HandlerResult<Module, Name>> {
    return new CallWait(this.#core, checkString(name, "name of the export"), args);
  }

  map<Name extends HandlerName<Module>>(
    items: Iterable<HandlerArguments<Module, Name>[0]>,
    name: Name,
    options?: MapOptions<HandlerArguments<Module, Name>[0], HandlerResult<Module, Name>>,
  ): Operation<HandlerResult<Module, Name>[]> {
    const { size, concurrency } = this.#core.settings;
    checkString(name, "name of the export");
    // Twice as many as run: the next one is there when a worker is done.
    const { inFlight = 2 * size * concurrency, each } = checkOptions(options, "map", MAP_OPTIONS);
    checkInteger(inFlight, "inFlight", 1, Infinity, true);
    if (each !== undefined) checkFunction(each, "each");
    return mapInOrder(items, (item) => new CallWait(this.#core, name, [item]), inFlight, each);
  }

  statistics(): PoolStatistics {
    return this.#core.statistics;
  }
}
