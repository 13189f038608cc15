/**
 * Pools of a package that came over the network, as it does from JSR: its `import.meta.url` is no
 * file.
 */
import { assertEquals } from "@std/assert";

const top = new URL("../../", import.meta.url);

for (const kind of ["threads", "processes"]) {
  Deno.test(`${kind}: workers start from a package that came by http`, async () => {
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        const text = await Deno.readTextFile(new URL(pathname.slice(1), top));
        return new Response(text, { headers: { "content-type": "application/typescript" } });
      },
    );
    const { port } = server.addr;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--no-check", "--quiet", "--no-lock", "--no-config"],
        ...["--allow-run", "--allow-env", `--allow-import=127.0.0.1:${port}`],
        ...[`http://127.0.0.1:${port}/tests/pool/permissions_program.ts`, kind],
      ],
      // What it downloads is of no use to the next run, with another port: kept out of the user's
      // cache.
      env: { DENO_DIR: `${Deno.env.get("TMPDIR") ?? "/tmp"}/broomio-remote-test` },
      stdin: "null",
      signal: AbortSignal.timeout(30_000),
    }).output();
    await server.shutdown();
    assertEquals(new TextDecoder().decode(stdout), "3\n", new TextDecoder().decode(stderr));
  });
}
