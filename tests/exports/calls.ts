/**
 * How every export of every door is called: the kinds of its arguments.
 *
 * A row is one function, constructor, method or setter. Its `scene` makes what it is called on, inside a
 * coroutine, and passes it on. Methods without arguments have no row: they are listed.
 */
import * as core from "../../mod.ts";
import * as http from "../../src/http/mod.ts";
import * as net from "../../src/net/mod.ts";
import * as os from "../../src/os/mod.ts";
import * as pool from "../../src/pool/mod.ts";
import * as testing from "../../src/testing/mod.ts";
import * as trace from "../../src/trace/mod.ts";
import { certificates } from "../support/certificates.ts";
import {
  anything,
  body,
  bytes,
  callback,
  coroutine,
  deadline,
  duration,
  flag,
  FUNCTIONS,
  instance,
  type Kind,
  OBJECTS,
  oneOf,
  optional,
  options,
  positive,
  positiveOrInfinity,
  seed,
  STRINGS,
  text,
} from "./values.ts";

const { Broadcast, CancelScope, CapacityLimiter, Condition, Event, Lock, Loop, Nursery } = core;
const { openChannel, ParkingLot, Semaphore, TaskLocal } = core;

/** Passes the target of a call on. */
export type Use = (target: unknown) => core.Operation<unknown>;

/** One way to call something. */
export interface Row {
  /** "sleep", "new Lock", "Lock.with", "CancelScope.deadline =". */
  readonly name: string;
  readonly kinds: readonly Kind[];
  scene(use: Use): core.Operation<unknown>;
  invoke(target: unknown, args: unknown[]): unknown;
}

type AnyFunction = (...args: never[]) => unknown;

/** A function. */
const fn = (name: string, target: AnyFunction, ...kinds: Kind[]): Row => ({
  name,
  kinds,
  scene: (use) => use(undefined),
  invoke: (_, args) => (target as (...args: unknown[]) => unknown)(...args),
});

/** A constructor. */
const make = (
  name: string,
  Class: new (...args: never[]) => unknown,
  ...kinds: Kind[]
): Row => ({
  name: `new ${name}`,
  kinds,
  scene: (use) => use(undefined),
  invoke: (_, args) => Reflect.construct(Class, args),
});

/** The methods of an object that `scene` makes. */
function methods(
  name: string,
  scene: Row["scene"],
  table: Record<string, Kind[]>,
): Row[] {
  return Object.entries(table).map(([method, kinds]) => ({
    name: `${name}.${method}`,
    kinds,
    scene,
    invoke(target: unknown, args: unknown[]) {
      const object = target as Record<string, unknown>;
      if (method.endsWith(" =")) return void (object[method.slice(0, -2)] = args[0]);
      return (object[method] as (...args: unknown[]) => unknown).call(object, ...args);
    },
  }));
}

/** A scene for what needs none. */
const on = (create: () => unknown): Row["scene"] => (use) => use(create());

const name = { name: text };
const operations: Kind = instance(
  () => [core.sleep(0)],
  "an empty array",
  "an object",
  "an object without a prototype",
  "a Map",
  "a finished generator",
);
const receiver = () => {
  const { sender, receiver } = openChannel<number>(1);
  sender.close();
  return receiver;
};
const iterable = instance(
  () => async function* () {}(),
  "an async generator",
  ...["a function", "an async function", "a class", "a revoked function"] as const,
);

/** What is mapped: an iterable, an async iterable or a receiver. */
const items = instance(
  () => [],
  ...["an empty array", "an array", "a Map", "bytes", "a finished generator"] as const,
  ...["an async generator", "a hostile iterable", "a string", "an empty string"] as const,
  ...["a huge string", "a string with NUL"] as const,
);
const concurrency = positiveOrInfinity;

function closedWatch() {
  const watch = new core.Watch(1);
  watch.close();
  return watch;
}

const signal = instance(() => new AbortController().signal);

/** An option of all that makes a loop. */
const loopOptions = {
  executionOrder: oneOf("fifo"),
  seed,
  host: instance(() => new testing.VirtualClock()),
  instruments: instance(() => [], "an empty array"),
  onWarning: callback,
  asyncContext: flag,
  debug: flag,
};

/** One as a nursery throws it. */
const someNurseryError = () =>
  new core.NurseryError([new Error("first"), new Error("second")], [someTask, someTask]);
const someTask = { name: "some task" } as core.Task;

const makePortal = () => new core.Portal({ host: new testing.VirtualClock(), onWarning() {} });

/** A portal, which is closed when the call was made. */
const portalScene: Row["scene"] = (use) =>
  core.call(function* () {
    const portal = makePortal();
    try {
      return yield* use(portal);
    } finally {
      void portal.close();
    }
  });

const CORE: Row[] = [
  fn("findError", core.findError as AnyFunction, anything, callback),
  ...methods("NurseryError", on(someNurseryError), { find: [callback] }),
  make("Portal", core.Portal, options({ ...loopOptions, onError: callback })),
  ...methods("Portal", portalScene, {
    run: [body, options({ ...name, signal, timeout: duration })],
    wrap: [callback],
    close: [options({ grace: duration, reason: anything })],
  }),
  fn("all", core.all, operations),
  fn("race", core.race, { ...operations, accepts: new Set(["a Map"]) }),
  fn("any", core.any as AnyFunction, operations),
  fn("allSettled", core.allSettled, {
    ...operations,
    accepts: new Set([...operations.accepts, "an object with hostile conversions" as const]),
  }),
  fn("settle", core.settle, body),
  fn("mapConcurrent", core.mapConcurrent as AnyFunction, items, callback, options({ concurrency })),
  fn("asCompleted", core.asCompleted as AnyFunction, items, callback, options({ concurrency })),
  fn(
    "retry",
    core.retry,
    callback,
    options({
      maxAttempts: positiveOrInfinity,
      minTimeout: duration,
      maxTimeout: duration,
      multiplier: instance(() => 2, "1e300", "Infinity"),
      jitter: instance(() => 1, "0.5"),
      timeout: duration,
      isRetriable: callback,
      onRetry: callback,
    }),
  ),
  fn(
    "every",
    core.every,
    duration,
    callback,
    options({ overlap: oneOf("skip"), immediate: flag }),
  ),
  fn(
    "use",
    core.use as AnyFunction,
    instance(
      () => ({ [Symbol.dispose]() {} }),
      "a promise",
      "a finished generator",
      "an async generator",
    ),
  ),
  fn("lazy", core.lazy, callback),
  fn("call", core.call, body),
  fn("ensure", core.ensure, body),
  fn("shield", core.shield, body, options({ timeout: duration })),
  fn("sleep", core.sleep, duration),
  fn("sleepUntil", core.sleepUntil, deadline),
  fn("moveOnAfter", core.moveOnAfter, duration, body),
  fn("moveOnAt", core.moveOnAt, deadline, body),
  fn("failAfter", core.failAfter, duration, body),
  fn("failAt", core.failAt, deadline, body),
  fn("suspend", core.suspend, callback),
  fn(
    "until",
    core.until,
    instance(() => Promise.resolve(), "a promise", ...callback.accepts),
    options({ late: callback }),
  ),
  fn("each", core.each, iterable, callback),
  fn("select", core.select, instance(() => ({ arm: core.sleep(0) }))),
  fn(
    "fromEvent",
    core.fromEvent as AnyFunction,
    instance(() => new EventTarget()),
    text,
  ),
  fn("fromReadableStream", core.fromReadableStream, instance(() => new ReadableStream())),
  fn("toAsyncIterable", core.toAsyncIterable, instance(receiver), instance(() => new Loop())),
  fn("toReadableStream", core.toReadableStream, instance(receiver), instance(() => new Loop())),
  fn("openChannel", core.openChannel, positiveOrInfinity, options(name)),
  make(
    "Loop",
    Loop,
    options(loopOptions),
  ),
  make("Lock", Lock, options(name)),
  make("Event", Event, options(name)),
  make("ParkingLot", ParkingLot, options(name)),
  make("Semaphore", Semaphore, positive, options({ ...name, max: positiveOrInfinity })),
  make("CapacityLimiter", CapacityLimiter, positiveOrInfinity, options(name)),
  make("Condition", Condition, optional(instance(() => new Lock())), options(name)),
  make(
    "Broadcast",
    Broadcast,
    options({ ...name, capacity: positiveOrInfinity, slow: oneOf("wait") }),
  ),
  make("TaskLocal", TaskLocal, text, anything),
  make(
    "RateLimiter",
    core.RateLimiter,
    options(
      { ...name, limit: positive, period: duration, burst: positive },
      () => ({ limit: 1 }),
      "limit",
    ),
  ),
  make(
    "ResourcePool",
    core.ResourcePool,
    options(
      {
        ...name,
        open: callback,
        close: callback,
        max: positive,
        idleTimeout: duration,
        check: callback,
      },
      () => ({ open: function* () {}, close() {}, max: 1 }),
      ...["open", "close", "max"],
    ),
  ),
  make("Watch", core.Watch as new (...args: never[]) => unknown, anything, options(name)),
  ...methods("RateLimiter", on(() => new core.RateLimiter({ limit: 1 })), { with: [body] }),
  ...methods(
    "ResourcePool",
    on(() => new core.ResourcePool({ *open() {}, close() {}, max: 1 })),
    { with: [callback] },
  ),
  ...methods("Watch", on(() => new core.Watch(1)), { set: [anything], update: [callback] }),
  ...methods("changes", on(() => closedWatch().changes()), { forEach: [callback] }),
  ...methods("completed", on(() => core.asCompleted([], function* () {})), { forEach: [callback] }),
  ...methods("CancelScope", (use) => use(CancelScope), {
    open: [
      body,
      options({ ...name, timeout: duration, deadline, shield: flag }),
    ],
  }),
  ...methods("scope", (use) => CancelScope.open((scope) => use(scope) as core.Coroutine), {
    cancel: [anything],
    "deadline =": [deadline],
    "shield =": [flag],
  }),
  ...methods("Nursery", (use) => use(Nursery), {
    open: [
      body,
      options({ ...name, timeout: duration, exceptionPolicy: oneOf("abort") }),
    ],
  }),
  ...methods("nursery", (use) => Nursery.open((nursery) => use(nursery) as core.Coroutine), {
    startSoon: [coroutine, options(name)],
    startLater: [coroutine, duration, options(name)],
    start: [instance(startedAtOnce, ...callback.accepts), options(name)],
    cancel: [anything],
  }),
  ...methods("Loop", on(() => new Loop({ host: new testing.VirtualClock() })), {
    startSoon: [coroutine, options(name)],
    run: [optional(coroutine)],
    cancel: [anything],
  }),
  ...methods(
    "task",
    (use) => Nursery.open((nursery) => use(nursery.startSoon(core.sleep(0))) as core.Coroutine),
    { cancel: [anything] },
  ),
  ...methods("Lock", on(() => new Lock()), { with: [body] }),
  ...methods("Semaphore", on(() => new Semaphore(1)), { with: [body] }),
  ...methods("CapacityLimiter", on(() => new CapacityLimiter(1)), {
    with: [body],
    acquireOnBehalfOf: [instance(() => ({}), ...borrowers())],
    tryAcquireOnBehalfOf: [instance(() => ({}), ...borrowers())],
    releaseOnBehalfOf: [instance(() => ({}), ...borrowers())],
    "total =": [positiveOrInfinity],
  }),
  ...methods("Condition", on(() => new Condition()), {
    with: [body],
    notify: [optional(positive)],
    waitFor: [callback],
  }),
  ...methods("ParkingLot", on(() => new ParkingLot()), {
    unpark: [instance(() => 1, "undefined", "Infinity")],
  }),
  ...methods("TaskLocal", on(() => new TaskLocal("local")), { with: [anything, body] }),
  ...methods("Broadcast", on(() => new Broadcast()), { send: [anything], trySend: [anything] }),
  ...methods("sender", on(() => openChannel(1).sender), {
    send: [anything],
    trySend: [anything],
    fail: [anything],
  }),
  ...methods("receiver", on(receiver), { forEach: [callback, options({ concurrency })] }),
];

/** Any object can be a borrower. */
function borrowers() {
  return [
    ...["an object", "an object without a prototype", "an empty array", "an array"] as const,
    ...["a function", "an async function", "a class", "a revoked function"] as const,
    ...["an object with hostile conversions", "a Map", "an invalid date", "bytes"] as const,
    ...["a promise", "a finished generator", "an async generator"] as const,
    ...["a hostile iterable", "a throwing proxy", "a revoked proxy"] as const,
  ];
}

/** The body of a `nursery.start`. */
function startedAtOnce() {
  return function* (started: (value: number) => void): core.Coroutine {
    started(1);
  };
}

const port = instance(() => 8000);
const tcp = { noDelay: flag, keepAlive: flag };

/** A stream whose other end has sent some bytes, and its end. */
const stream: Row["scene"] = (use) =>
  core.call(function* () {
    const [near, far] = testing.memoryStreamPair();
    yield* far.send(new TextEncoder().encode("a line\r\nand more of it"));
    yield* far.shutdown();
    try {
      return yield* use(near);
    } finally {
      near.close();
      far.close();
    }
  });
const max = optional(positiveOrInfinity);

const nowhere = { transport: "udp" as const, hostname: "127.0.0.1", port: 1 };

/** A datagram socket of which nothing is heard. */
class SilentDatagram {
  readonly localAddr = nowhere;
  events!: never;
  send(): void {}
  close(): void {}
}

/** A connection of which nothing is heard. */
const silentStream = () =>
  ({
    localAddr: nowhere,
    remoteAddr: nowhere,
    setNoDelay() {},
    setKeepAlive() {},
    close() {},
  }) as never;

/** Listeners of the runtimes to which nobody connects. */
const denoListener = () => ({ addr: nowhere, accept() {}, close() {} });
const nodeServer = () => ({
  listen() {},
  address: () => ({ address: nowhere.hostname, port: nowhere.port }),
  on() {},
});

/** Stands for the nursery of the scene. */
const OWN_NURSERY = Symbol("the nursery of the scene");

const identity = () => ({ ...certificates().localhost });
const list = instance(() => [], "an empty array");
const tlsServer = {
  cert: text,
  key: text,
  clientCa: instance(() => certificates().ca),
  alpnProtocols: list,
  serverNames: instance(
    () => ({}),
    ...["an object", "an object without a prototype", "a hostile iterable"] as const,
  ),
};
const tlsClient = { cert: text, key: text, caCerts: list, alpnProtocols: list };

const NET: Row[] = [
  fn("useNetwork", net.useNetwork, instance(() => new Loop()), instance(testing.memoryNetwork)),
  fn("runtimeNetwork", net.runtimeNetwork, options({ internals: flag })),
  fn(
    "sendFrame",
    net.sendFrame as AnyFunction,
    instance(() => testing.memoryStreamPair()[0]),
    bytes,
    options({ prefixBytes: instance(() => 4), littleEndian: flag }),
  ),
  ...methods("TcpClientSocket", (use) => use(net.TcpClientSocket), {
    connect: [
      options({ ...tcp, hostname: text, port, timeout: duration }, () => ({ port: 8000 }), "port"),
    ],
  }),
  ...methods("TcpListenSocket", (use) => use(net.TcpListenSocket), {
    listen: [options({ ...tcp, hostname: text, port, backlog: positive, reusePort: flag })],
  }),
  ...methods("UnixClientSocket", (use) => use(net.UnixClientSocket), {
    connect: [options({ path: text }, () => ({ path: "/tmp/none" }), "path")],
  }),
  ...methods("UnixListenSocket", (use) => use(net.UnixListenSocket), {
    listen: [options({ path: text }, () => ({ path: "/tmp/none" }), "path")],
  }),
  ...methods("UdpSocket", (use) => use(net.UdpSocket), {
    bind: [options({ hostname: text, port })],
  }),
  ...methods("UdpSocket", on(() => new net.UdpSocket(new SilentDatagram())), {
    recvFromInto: [bytes],
    sendTo: [bytes, instance(() => ({ hostname: "127.0.0.1", port: 1 }))],
  }),
  ...methods("TcpClientSocket", on(() => new net.TcpClientSocket(silentStream())), {
    "noDelay =": [flag],
    "keepAlive =": [flag],
  }),
  ...methods("TlsListenSocket", (use) => use(net.TlsListenSocket), {
    listen: [
      options(
        {
          ...{ ...tcp, ...tlsServer, hostname: text, port, backlog: positive, reusePort: flag },
          handshakeTimeout: duration,
          onHandshakeError: callback,
        },
        identity,
        "cert",
        "key",
      ),
    ],
  }),
  ...methods("TlsClientSocket", (use) => use(net.TlsClientSocket), {
    connect: [
      options(
        { ...tcp, ...tlsClient, hostname: text, port, timeout: duration, serverName: text },
        () => ({ hostname: "localhost", port: 8000 }),
        "port",
      ),
    ],
    upgrade: [
      instance(() => testing.memoryStreamPair()[0]),
      options(
        { ...tcp, ...tlsClient, hostname: text, timeout: duration },
        () => ({ hostname: "localhost" }),
        "hostname",
      ),
    ],
    upgradeServer: [
      instance(() => testing.memoryStreamPair()[0]),
      options({ ...tcp, ...tlsServer, timeout: duration }, identity, "cert", "key"),
    ],
  }),
  fn("fromDeno", net.fromDeno as AnyFunction, instance(denoListener), options(tcp)),
  fn("fromNode", net.fromNode as AnyFunction, instance(nodeServer), options(tcp)),
  ...methods("Socket", stream, {
    recv: [max],
    recvInto: [bytes],
    recvView: [max],
    send: [bytes],
  }),
  ...methods("ListenSocket", on(() => new testing.MemoryListener()), {
    serve: [callback, options({ maxConnections: positiveOrInfinity, onError: callback })],
  }),
  {
    name: "ListenSocket.accept",
    kinds: [instance(() => OWN_NURSERY), callback],
    scene: (use) => core.Nursery.open((nursery) => use(nursery) as core.Coroutine),
    invoke: (own, [nursery, handler]) =>
      new testing.MemoryListener().accept(
        (nursery === OWN_NURSERY ? own : nursery) as core.Nursery,
        handler as never,
      ),
  },
  {
    name: "new BufferedReader",
    kinds: [instance(() => testing.memoryStreamPair()[0]), options({ maxBuffered: positive })],
    scene: (use) => use(undefined),
    invoke: (_, args) => Reflect.construct(net.BufferedReader, args),
  },
  ...methods(
    "BufferedReader",
    (use) => stream((near) => use(new net.BufferedReader(near as net.Socket))),
    {
      lines: [callback],
      readFrame: [options({ prefixBytes: instance(() => 4), littleEndian: flag })],
      readUntil: [bytes],
      readExact: [positive],
      recv: [max],
      recvInto: [bytes],
      recvView: [max],
    },
  ),
];

/** One that there is not: what is valid starts nothing. */
const command = instance(() => "/nonexistent/command", "a string", "a huge string");
const args = optional(instance(() => [], "an empty array"));
const processOptions = {
  cwd: instance(() => "/", ...STRINGS),
  env: instance(() => ({}), ...OBJECTS, "an object with hostile conversions", "an empty array"),
  clearEnv: flag,
  stdin: oneOf("null"),
  stdout: oneOf("null"),
  stderr: oneOf("null"),
  grace: duration,
  group: flag,
};

/** One end of a pipe of which nothing is heard. */
const silentPipe = () =>
  ({
    remoteAddr: { transport: "pipe" },
    bytes: new Uint8Array(8),
    lifetime: "forever",
    receive() {},
    send() {},
    finish() {},
    closeSoon() {},
    close() {},
  }) as never;

const signalReceiver: Row["scene"] = (use) =>
  core.call(function* () {
    using receiver = os.openSignalReceiver("SIGUSR2");
    return yield* use(receiver);
  });

const OS: Row[] = [
  fn("signals", os.signals as AnyFunction, oneOf("SIGUSR2")),
  {
    name: "openSignalReceiver",
    kinds: [oneOf("SIGUSR2")],
    scene: (use) => use(undefined),
    invoke: (_, args) => os.openSignalReceiver(...args as os.Signal[]).close(),
  },
  fn("exit", os.exit as AnyFunction, optional(instance(() => 0))),
  ...methods("Process", (use) => use(os.Process), {
    start: [command, args, options(processOptions)],
  }),
  // One that has ended: none is started, and nothing gets a signal.
  ...methods("Process", on(() => Reflect.construct(os.Process, [{ isGone: true }])), {
    kill: [optional(instance(() => "SIGTERM")), options({ group: flag })],
  }),
  fn(
    "runProcess",
    os.runProcess as AnyFunction,
    command,
    args,
    options({
      ...processOptions,
      input: instance(() => "", "bytes", ...STRINGS),
      timeout: duration,
      maxOutput: positiveOrInfinity,
      check: flag,
      encoding: instance(() => "text", "a string"),
    }),
  ),
  ...methods("SignalReceiver", signalReceiver, { forEach: [callback] }),
  ...methods("ProcessOutput", on(() => new os.ProcessOutput(silentPipe())), {
    recv: [max],
    recvInto: [bytes],
    recvView: [max],
  }),
  ...methods("ProcessInput", on(() => new os.ProcessInput(silentPipe())), { send: [bytes] }),
];

const address = instance(() => "data:text/javascript,export const echo = (value) => value");
const poolOptions = () =>
  options(
    {
      module: address,
      entry: instance(() => undefined),
      size: positive,
      warm: positive,
      concurrency: positive,
      maxWaiting: positiveOrInfinity,
      idleTimeout: duration,
      cancelGrace: duration,
      startTimeout: duration,
    },
    () => ({ module: address.valid(), warm: 0 }),
    "module",
  );

const POOL: Row[] = [
  ...methods("ThreadPool", (use) => use(pool.ThreadPool), { open: [poolOptions()] }),
  ...methods("ProcessPool", (use) => use(pool.ProcessPool), { open: [poolOptions()] }),
  fn(
    "transfer",
    pool.transfer as AnyFunction,
    instance(() => new Uint8Array(1), ...borrowers()),
    optional(instance(() => [], "an empty array")),
  ),
];

const TESTING: Row[] = [
  make(
    "VirtualClock",
    testing.VirtualClock,
    options({ start: instance(() => 0, "-1", "0.5", "1e300"), autojump: flag }),
  ),
  ...methods("VirtualClock", on(() => new testing.VirtualClock()), {
    advance: [instance(() => 1, "0.5", "1e300")],
  }),
  make("MemoryListener", testing.MemoryListener, options({ capacity: positiveOrInfinity })),
  fn("memoryStreamPair", testing.memoryStreamPair, options({ capacity: positiveOrInfinity })),
  fn("memoryNetwork", testing.memoryNetwork, options({ capacity: positiveOrInfinity })),
  fn(
    "explore",
    testing.explore,
    instance(() => () => ({ main: core.sleep(0) }), ...callback.accepts),
    options({
      strategy: oneOf("fifo"),
      schedules: positiveOrInfinity,
      seconds: duration,
      seed,
      preemptions: positiveOrInfinity,
      depth: positive,
      time: flag,
      cancel: oneOf("main"),
      maxSteps: positive,
      autojump: instance(() => "always", "true"),
      onProgress: callback,
      progress: flag,
    }, () => ({ schedules: 1, strategy: "fifo", seconds: 1 })),
  ),
  fn(
    "replay",
    testing.replay,
    instance(() => () => core.checkpoint(), ...callback.accepts),
    instance(() => "0:t", "an empty string"), // no choices: the first task each time
    options({ maxSteps: positive }),
  ),
  fn(
    "coroutineTest",
    testing.coroutineTest as AnyFunction,
    callback,
    options({
      executionOrder: oneOf("fifo"),
      seed,
      debug: flag,
      instruments: instance(() => [], "an empty array"),
      explore: instance(() => ({}), ...OBJECTS),
      replay: instance(() => "", "an empty string", "a string"),
    }),
  ),
  ...methods("Sequencer", on(() => new testing.Sequencer()), {
    step: [instance(() => 0), optional(body)],
  }),
  fn("sometimes", testing.sometimes, anything, text),
  fn("inspect", testing.inspect as AnyFunction, instance(() => new Loop())),
];

const handlerOptions = {
  timeout: duration,
  maxConcurrent: positiveOrInfinity,
  writeTimeout: duration,
  onError: callback,
};
const portal = instance(makePortal);
const inPortal = (kinds: Record<string, Kind>) =>
  options({ ...kinds, portal, writeTimeout: duration }, () => ({ portal: makePortal() }), "portal");

/** A WebSocket that was closed. */
const socket = instance(() => ({
  readyState: 3,
  bufferedAmount: 0,
  binaryType: "blob",
  send() {},
  close() {},
  addEventListener() {},
  removeEventListener() {},
}));
const messageStream: Row["scene"] = (use) =>
  core.call(function* () {
    const open = { ...socket.valid() as object, readyState: 1 };
    using messages = yield* http.fromWebSocket(open as http.WebSocketLike, { closeTimeout: 0.001 });
    return yield* use(messages);
  });
const response = instance(() => ({ write: () => true, on() {}, off() {} }));

const HTTP: Row[] = [
  fn("toHandler", http.toHandler, portal, callback, options(handlerOptions)),
  fn("toNodeListener", http.toNodeListener, portal, callback, options(handlerOptions)),
  fn("streamBody", http.streamBody, callback, inPortal({})),
  fn(
    "eventStream",
    http.eventStream,
    // Whatever has a `next` may be a receiver.
    instance(callback.valid, ...FUNCTIONS, "a finished generator", "an async generator"),
    inPortal({ heartbeat: duration }),
  ),
  fn(
    "sendChunk",
    http.sendChunk,
    response,
    instance(() => "", "bytes", ...STRINGS),
    options({ writeTimeout: duration }),
  ),
  fn(
    "fromWebSocket",
    http.fromWebSocket as AnyFunction,
    socket,
    options({
      maxBuffered: positive,
      highWaterMark: positive,
      writeTimeout: duration,
      closeTimeout: duration,
    }),
  ),
  ...methods("MessageStream", messageStream, {
    send: [instance(() => "", "bytes", ...STRINGS)],
    forEach: [callback],
    close: [optional(instance(() => 1000)), optional(text)],
  }),
  {
    name: "serveHttp",
    kinds: [
      {
        ...options({
          ...handlerOptions,
          hostname: text,
          port,
          grace: duration,
          onListen: callback,
          cert: instance(() => certificates().localhost.cert),
          key: instance(() => certificates().localhost.key),
          native: instance(
            () => ({}),
            ...[
              ...OBJECTS,
              "an object with hostile conversions",
              "an empty array",
              "an array",
            ] as const,
            "bytes",
          ),
          server: instance(() => undefined),
          toListener: instance(() => undefined),
        }),
        accepts: new Set(OBJECTS),
      },
      callback,
    ],
    scene: (use) => use(undefined),
    invoke(_, args) {
      // What it gives is not run: that would bind a port.
      return [(http.serveHttp as (...args: unknown[]) => unknown)(...args)];
    },
  },
];

const loop = instance(() => new Loop());

const TRACE: Row[] = [
  fn("taskTree", trace.taskTree as AnyFunction, loop),
  {
    name: "dumpOnSignal",
    kinds: [loop, options({ signal: text, print: callback })],
    scene: (use) => use(undefined),
    invoke(_, args) {
      (trace.dumpOnSignal as (...args: unknown[]) => Disposable)(...args)[Symbol.dispose]();
    },
  },
];

/** The rows of each door. */
export const ROWS: Readonly<Record<string, readonly Row[]>> = {
  core: CORE,
  http: HTTP,
  net: NET,
  os: OS,
  pool: POOL,
  testing: TESTING,
  trace: TRACE,
};
