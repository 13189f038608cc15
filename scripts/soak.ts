/**
 * The soak: servers of each kind under good and bad clients for many minutes. `deno task soak`.
 *
 * `deno task soak 10` runs 10 minutes; `--runtime=node` has the servers on Node (bundled from the
 * same sources), `--runtime=bun` or a path likewise; `--no-internals` on documented API alone;
 * `--seed=N` repeats the choices of the clients; `--actors=N` is how many clients there are at once.
 *
 * Each round ends with a pause in which all clients leave; what is left then is compared with the
 * first pause. It fails if heap, memory, descriptors, tasks or timers have grown by then, if a good
 * client got wrong bytes or too few, if a handler failed in a way that no client should cause, or if
 * a server ended.
 */
import { build } from "esbuild";
import { certificates } from "../tests/support/certificates.ts";

const top = new URL("../", import.meta.url).pathname;

const option = (name: string) =>
  Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const minutes = Number(Deno.args.find((arg) => !arg.startsWith("--")) ?? 1);
const runtime = option("runtime") ?? "deno";
const seed = Number(option("seed") ?? Math.floor(Math.random() * 1e9));
const actors = Number(option("actors") ?? 40);
const internals = Deno.args.includes("--no-internals") ? "--no-internals" : "--internals";

/** Seconds between two lines of figures. */
const SAMPLE = 10;
/** Seconds of a pause: longer than the servers' patience and the linger time together. */
const PAUSE = 22;
/** Seconds from one pause to the next. */
const ROUND = Math.max(40, Math.min(80, minutes * 60 / 3));

/** A line of a child. */
type Message = Record<string, unknown> & { kind: string };

/** A child process that is spoken to in lines. */
class Child {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting: { kind: string; resolve: (message: Message) => void }[] = [];
  readonly #early: Message[] = [];
  readonly status: Promise<Deno.CommandStatus>;

  constructor(program: string, args: string[]) {
    this.#process = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.status = this.#process.status;
    this.#writer = this.#process.stdin.getWriter();
    this.#read();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const message: Message = JSON.parse(line);
        const index = this.#waiting.findIndex(({ kind }) => kind === message.kind);
        if (index < 0) this.#early.push(message);
        else this.#waiting.splice(index, 1)[0].resolve(message);
      }
    }
  }

  async say(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(line + "\n"));
  }

  /** The next message of a kind. */
  next(kind: string): Promise<Message> {
    const index = this.#early.findIndex((message) => message.kind === kind);
    if (index >= 0) return Promise.resolve(this.#early.splice(index, 1)[0]);
    return new Promise((resolve) => this.#waiting.push({ kind, resolve }));
  }

  async ask(question: string): Promise<Message> {
    await this.say(question);
    return await this.next(question);
  }

  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What is compared. How much each may grow: a part of the first value, and so much more. */
const LIMITS: Readonly<Record<string, [number, number]>> = {
  heap: [0.25, 4e6],
  rss: [0.35, 40e6],
  descriptors: [0, 2],
  tasks: [0, 0],
  timers: [0, 0],
};

const problems: string[] = [];

function showSample(sample: Message, when: string): void {
  const { heap, rss, descriptors, tasks, timers, served, failed, idle, warnings } = sample;
  const mega = (bytes: unknown) => `${(Number(bytes) / 1e6).toFixed(1)} MB`;
  console.log(
    `${when} heap ${mega(heap)}, rss ${mega(rss)}, ${descriptors} descriptors, ${tasks} tasks, ` +
      `${timers} timers; ${served} served, ${failed} failed, ${idle} idle, ${warnings} warnings`,
  );
}

/** Errors of handlers that no client should cause. */
function take(sample: Message): void {
  for (const error of sample.unexpected as string[]) problems.push(`unexpected error in ${error}`);
}

function compare(first: Message, last: Message): void {
  for (const [what, [part, more]] of Object.entries(LIMITS)) {
    const before = Number(first[what]);
    const after = Number(last[what]);
    if (after > before * (1 + part) + more) {
      problems.push(`${what} grew from ${before} to ${after}`);
    }
  }
}

function fail(status: Deno.CommandStatus): never {
  throw new Error(`The server ended with code ${status.code}`);
}

/** Bundles a file for Node. */
async function bundle(entry: string, folder: string): Promise<string> {
  const outfile = `${folder}/${entry}.mjs`;
  await build({
    entryPoints: [`${top}scripts/soak/${entry}.ts`],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    outfile,
    logLevel: "warning",
  });
  return outfile;
}

async function main(folder: string): Promise<void> {
  const { ca, localhost } = certificates();
  const files = { "ca.pem": ca, "cert.pem": localhost.cert, "key.pem": localhost.key };
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const server = runtime === "deno"
    ? new Child(Deno.execPath(), [
      ...["run", "-A", "--no-check", "--no-lock", "--v8-flags=--expose-gc"],
      ...[`${top}scripts/soak/server.ts`, folder, internals],
    ])
    : new Child(runtime, ["--expose-gc", await bundle("server", folder), folder, internals]);
  const { ports } = await Promise.race([server.next("listening"), server.status.then(fail)]);
  const clients = new Child("node", [
    await bundle("clients", folder),
    ...[folder, JSON.stringify(ports), String(seed), String(actors)],
  ]);
  console.log(`soak: ${minutes} min on ${runtime} ${internals}, ${actors} clients, seed ${seed}`);
  let isStopping = false;
  let isDead = false;
  const died = server.next("ended").then(({ which }) => {
    isDead = true;
    if (!isStopping) problems.push(`the server ended: ${which}`);
  });
  const ended = Promise.race([died, server.status]);
  server.status.then(({ code }) => {
    isDead = true;
    if (!isStopping) problems.push(`the server ended with code ${code}`);
  });
  clients.status.then(({ code }) => {
    if (!isStopping) problems.push(`the clients ended with code ${code}`);
  });
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  const stamp = () => `${elapsed().toFixed(0).padStart(5)} s:`;
  let first: Message | undefined;
  try {
    while (!isDead && (elapsed() < minutes * 60 || first === undefined)) {
      const roundEnd = elapsed() + ROUND - PAUSE;
      await clients.say("go");
      while (!isDead && elapsed() < roundEnd) {
        await sleep(Math.min(SAMPLE, Math.max(1, roundEnd - elapsed())));
        const sample = await Promise.race([server.ask("sample"), ended.then(() => null)]);
        if (sample === null) continue;
        take(sample);
        showSample(sample, stamp());
      }
      await clients.say("pause");
      await Promise.race([clients.next("idle"), sleep(90), ended]);
      await Promise.race([sleep(PAUSE), ended]);
      const quiet = await Promise.race([server.ask("sample"), ended.then(() => null)]);
      if (quiet === null) break;
      take(quiet);
      showSample(quiet, `${stamp()} quiet,`);
      const { tally, faults } = await clients.ask("tally");
      for (const fault of faults as string[]) problems.push(fault);
      first ??= quiet;
      if (quiet !== first) compare(first, quiet);
      if (problems.length > 0 || elapsed() >= minutes * 60) {
        console.log(`${stamp()} clients: ${JSON.stringify(tally)}`);
      }
      if (problems.length > 100) break;
    }
  } finally {
    isStopping = true;
    await clients.say("stop").catch(() => {});
    await server.say("stop").catch(() => {});
    await Promise.race([server.status, sleep(10)]);
    clients.kill();
    server.kill();
  }
}

const folder = Deno.makeTempDirSync({ prefix: "broomio-soak-" });
try {
  await main(folder);
} finally {
  Deno.removeSync(folder, { recursive: true });
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "soak: ok" : `soak: ${problems.length} problems, seed ${seed}`);
Deno.exit(problems.length === 0 ? 0 : 1);
