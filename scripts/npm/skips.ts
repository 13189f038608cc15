/**
 * Which tests are not run against the npm package, and why. Not listed are those that use more of
 * `Deno` than `runner.ts` has.
 *
 * Invariant: `check_npm.ts` prints each reason, and an entry that leaves nothing out is an error.
 */

/** Tests that are left out. */
export interface Skip {
  /** Which files, as paths from `tests/`. */
  readonly files: RegExp;
  /** Which of their tests, by name; all where there is none. */
  readonly tests?: RegExp;
  /** On which runtimes, as "bun" or "node 20 cjs" or a part of it; on all where there is none. */
  readonly runtime?: RegExp;
  readonly reason: string;
}

/** Everything that is left out. */
export const SKIPS: readonly Skip[] = [
  { files: /^scripts\//, reason: "tests the scripts of this repository, not the package" },
  { files: /^lint\//, reason: "runs Deno's lint; check_lint.ts loads the rules from the package" },
  { files: /^std\//, reason: "tests what other tests assert with, not the package" },
  {
    files: /^exports\/complete_test/,
    reason: "reads deno.json and the sources, not the package",
  },
  {
    files: /^testing\/(corpus|own)_test/,
    reason: "explores for a minute what does not depend on the runtime",
  },
  {
    files:
      /^(channel|exports|kernel|operations|sync|testing)\/|^os\/cancel|^net\/tls_(attack|world)|^http\/(hostile|clients)/,
    runtime: /cjs$/,
    reason:
      "takes long, does not depend on how modules are loaded, and the same code has passed it as ES modules",
  },
  {
    files: /^(net|os|pool|http)\/deno_/,
    reason: "tests the adapters of Deno, which cannot run elsewhere",
  },
  {
    files: /^pool\/(permissions|remote)_test/,
    reason: "tests the permissions and the loader of Deno",
  },
  { files: /^host\/terminal_test/, reason: "runs Deno on a terminal" },
  {
    files: /^interop\/portal_program_test/,
    reason: "runs Deno and Node from within Deno; programs/portal.ts does so here",
  },
  {
    files: /^kernel\/errors_test/,
    tests: /uncaught, Deno prints/,
    reason: "tests what Deno prints",
  },
  {
    files: /^host\//,
    tests: / on Node$/,
    reason: 'runs Node from within Deno; here, what is called "on Deno" runs on this very runtime',
  },
  {
    files: /^net\/udp_test/,
    tests: /a network without it/,
    reason: "asks for the network of Deno",
  },
  {
    files: /^net\/world_test/,
    tests: /reusePort is refused/,
    runtime: /^(node 2[4-9]|bun)/,
    reason: "reusePort works there",
  },
  {
    files: /^net\/tls_test/,
    tests: /shutdown ends one direction|: SNI:|mutual TLS holds for every name/,
    runtime: /^bun/,
    reason:
      "in Bun a TLS server that is given its connections by hand asks no SNICallback and ends both directions at once",
  },
  {
    files: /^testing\/explore_test/,
    tests: /^R53: the table says with what a task failed, and where$/,
    runtime: /^bun/,
    reason: "a stack in Bun goes on below the coroutine, so a failure has one place too many",
  },
  {
    files: /^kernel\/given_test/,
    runtime: /^bun/,
    reason: "asks V8 to collect; Bun has another engine",
  },
  {
    files: /^pool\/(pool|hostile)_test/,
    tests: /ends its worker as it is loaded|never finishes loading/,
    runtime: /^bun/,
    reason: "Bun gives data: modules as text, without running them",
  },
  {
    files: /^pool\/pool_test/,
    tests: /memory cannot be shared with a process/,
    runtime: /^bun/,
    reason: "Bun's v8.serialize copies shared memory, where others refuse it",
  },
  { files: /^pool\//, tests: /^web workers:/, runtime: /^node/, reason: "Node has no Web Workers" },
];

/** Whether a file is left out wholly, everywhere. */
export function isSkipped(file: string): boolean {
  return SKIPS.some((skip) => !skip.tests && !skip.runtime && skip.files.test(file));
}

/** The place in `SKIPS` of the entry that leaves out this test, or -1. */
export function skipOf(file: string, test: string, runtime: string): number {
  return SKIPS.findIndex((skip) =>
    skip.files.test(file) && (skip.tests?.test(test) ?? true) &&
    (skip.runtime?.test(runtime) ?? true)
  );
}
