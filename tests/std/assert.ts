/**
 * The assertions that tests use as `@std/assert`.
 *
 * The npm package behind it is the standard library's own code but ships no types. The types stand
 * beside this file, in `assert.d.ts`, which lists every name that may be imported from here; an
 * assertion narrows only where its declaration says `asserts`, so inference would not do.
 */
// @ts-types="./assert.d.ts"
export * from "deno-std/assert/mod.js";
