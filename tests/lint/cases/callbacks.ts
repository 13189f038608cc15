/** Programs for `no-await-in-coroutine-callback`. */
import type { Cases } from "./mod.ts";

const cases: Record<string, Cases> = {
  "no-await-in-coroutine-callback": {
    right: [
      `export function* main(urls: string[]) { yield* until(Promise.all(urls.map(async (url) => { const page = await fetch(url); return await page.text(); }))); }`,
      `export function* main() { yield* until(async (signal) => { await fetch("http://localhost", { signal }); }); }`,
      `export function* main(urls: string[]) { const pages = urls.map(async (url) => await fetch(url)); return yield* until(Promise.all(pages)); }`,
      `export async function main(urls: string[]) { urls.forEach(async (url) => { await fetch(url); }); await new Loop().run(sleep(1)); }`,
      `export function* main(urls: string[]) { urls.forEach((url) => console.log(url)); yield* checkpoint(); }`,
      `export function* main() { const load = async () => { await 1; }; yield* until(load()); }`,
    ],
    wrong: [
      `export function* main(urls: string[]) { urls.forEach(async (url) => { /*!*/await fetch(url); }); yield* checkpoint(); }`,
      `export function* main(urls: string[]) { const up = urls.filter(async (url) => (/*!*/await fetch(url)).ok); yield* checkpoint(); return up; }`,
      `export function* main(urls: string[]) { urls.map(async (url) => { /*!*/await fetch(url); }); yield* all(urls.map(async (url) => /*!*/await fetch(url)) as never); }`,
      `export function* main() { yield* checkpoint(); (async () => { /*!*/await fetch("http://localhost"); })(); setTimeout(async () => { /*!*/await 1; }, 1); }`,
      `export function* main() { yield* suspend<void>((async (resume: () => void) => { /*!*/await 1; resume(); }) as never); }`,
    ],
  },
};
export default cases;
