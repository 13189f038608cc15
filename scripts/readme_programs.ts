/**
 * The programs of the README, and running them as a reader would.
 *
 * A program is a block of TypeScript. Its first line may say how it is run
 * (`// deno run --allow-net both.ts`). What it prints stands in the block of text that follows it,
 * or in comments behind its `console.log`. One that serves names port 8080; then the README says
 * what `curl` answers.
 *
 * Independent of: what else the README says.
 */
import config from "../deno.json" with { type: "json" };

const LIMIT_MS = 60_000;
const top = new URL("../", import.meta.url);

/** A program of the README. */
export interface ReadmeProgram {
  /** "both.ts" */
  readonly file: string;
  /** The flags that a reader gives to `deno run`. */
  readonly flags: readonly string[];
  readonly text: string;
  /** The lines that it prints; none where the README does not say. */
  readonly output: readonly string[] | undefined;
  /** The block of text that follows the program, as it stands in the README, if there is one. */
  readonly outputBlock: string | undefined;
  /** What a client asks and is answered, where it is a server. */
  readonly request: { readonly url: string; readonly answer: string } | undefined;
}

/** The programs in a Markdown text, in order. */
export function programsOf(markdown: string): ReadmeProgram[] {
  const blocks = markdown.matchAll(/^```ts\n([^]*?)^```\n([^]*?)(?=^```ts\n|(?![^]))/gm);
  return [...blocks].map(([, text = "", rest = ""], index) => {
    const command = text.match(/^\/\/ deno run (?:(.*) )?(\S+\.ts)\n/);
    const outputBlock = rest.match(/^```text\n([^]*?)^```/m)?.[1];
    const comments = [...text.matchAll(/console\.log\(.*\);? \/\/ (.*)$/gm)].map((each) =>
      each[1]!
    );
    const curl = rest.match(/`curl (\S+)` answers `([^`]+)`/);
    return {
      file: command?.[2] ?? `program_${index + 1}.ts`,
      flags: command?.[1]?.split(" ") ?? [],
      text: text.trimEnd(),
      output: outputBlock?.trimEnd().split("\n") ?? (comments.length > 0 ? comments : undefined),
      outputBlock,
      request: curl ? { url: curl[1]!, answer: curl[2]! } : undefined,
    };
  });
}

/** A port that nobody listens on now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Asks until somebody answers. */
async function ask(url: string): Promise<string> {
  for (const end = performance.now() + LIMIT_MS / 2;;) {
    try {
      return (await (await fetch(url)).text()).trimEnd();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/**
 * Runs one in an empty folder, with `jsr:@broomio/core` meaning this checkout. Gives the lines that
 * it printed and, for a server, what was answered; throws where it fails.
 */
export async function runProgram(program: ReadmeProgram): Promise<string[]> {
  const folder = Deno.makeTempDirSync({ prefix: "broomio-readme-" });
  try {
    const port = String(freePort());
    const imports = Object.entries(config.exports)
      .map(([door, path]) => [`jsr:${config.name}${door.slice(1)}`, new URL(path, top).href]);
    const map = JSON.stringify({ imports: Object.fromEntries(imports) });
    Deno.writeTextFileSync(`${folder}/import_map.json`, map);
    const { file, flags, request } = program;
    const text = request ? program.text.replace("8080", port) : program.text;
    Deno.writeTextFileSync(`${folder}/${file}`, `${text}\n`);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock"],
        ...["--import-map", "import_map.json", ...flags, file],
      ],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    const output = child.output();
    const answer = request && await ask(request.url.replace("8080", port));
    if (request) child.kill("SIGINT");
    const { code, stdout, stderr } = await output;
    clearTimeout(timer);
    const printed = new TextDecoder().decode(stdout).trimEnd();
    if (code !== (request ? 130 : 0)) {
      throw new Error(`exit code ${code}\n${printed}\n${new TextDecoder().decode(stderr)}`);
    }
    return answer === undefined ? printed.split("\n") : [answer];
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
