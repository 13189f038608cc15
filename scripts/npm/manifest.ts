/**
 * The package.json of the npm package.
 *
 * Invariant: name, version, description, license and doors are those of `deno.json`, so that the
 * two packages cannot differ. Both builders lay their output out alike: `esm/` and `script/`
 * (CommonJS), each with types beside the code and with a small package.json that says which of the
 * two it is, and `src/`, which the source maps point to.
 */
import config from "../../deno.json" with { type: "json" };

/** The package's folder, from the top of the repository. It is git-ignored. */
export const FOLDER = "npm";

/** The name of the package, here and on npm. */
export const NAME: string = config.name;

/** A door of the package: what follows the name in an import, and the source file behind it. */
export interface Door {
  /** "." or "./net" */
  readonly name: string;
  /** "mod.ts" or "src/net/mod.ts" */
  readonly source: string;
}

/** Every door, as `deno.json` exports them. */
export const doors: readonly Door[] = Object.entries(config.exports)
  .map(([name, path]) => ({ name, source: path.replace(/^\.\//, "") }));

/** How a door is imported: "@broomio/core/net". */
export const importName = (door: Door): string => NAME + door.name.slice(1);

/** For npm's provenance this must be the repository whose workflow publishes. */
const REPOSITORY = "https://github.com/broomio/core";

const target = (door: Door, format: "esm" | "script", extension: ".js" | ".d.ts") =>
  `./${format}/${door.source.replace(/\.ts$/, extension)}`;

/** The whole of package.json. */
export function manifest(): Record<string, unknown> {
  const main = doors.find((door) => door.name === ".")!;
  const exports = doors.map((door) => [door.name, {
    import: { types: target(door, "esm", ".d.ts"), default: target(door, "esm", ".js") },
    require: { types: target(door, "script", ".d.ts"), default: target(door, "script", ".js") },
  }]);
  // For TypeScript's `moduleResolution: node10`, which does not read `exports`.
  const typesVersions = doors.filter((door) => door !== main)
    .map((door) => [door.name.slice(2), [target(door, "script", ".d.ts")]]);
  return {
    name: NAME,
    version: config.version,
    description: config.description,
    keywords: [
      ...["structured-concurrency", "nursery", "cancellation", "timeout", "task", "coroutine"],
      ...["generator", "channel", "scheduler", "virtual-time", "tcp", "tls", "worker-pool"],
    ],
    homepage: `${REPOSITORY}#readme`,
    bugs: `${REPOSITORY}/issues`,
    repository: { type: "git", url: `git+${REPOSITORY}.git` },
    license: config.license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    main: target(main, "script", ".js"),
    module: target(main, "esm", ".js"),
    types: target(main, "script", ".d.ts"),
    typesVersions: { "*": Object.fromEntries(typesVersions) },
    exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" },
    publishConfig: { access: "public" },
  };
}
