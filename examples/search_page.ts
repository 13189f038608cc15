// deno run examples/search_page.ts
// A page with a search field: it asks once the user has paused, and a newer question cancels the older one. In a browser, by a bundler,
// `searchPage(input, show, search)` is all of it; here a stand-in types.
import {
  type Coroutine,
  fromEvent,
  Nursery,
  Portal,
  sleep,
  type Task,
  until,
} from "jsr:@broomio/core";

type Search = (text: string, signal: AbortSignal) => Promise<string>;
type Field = EventTarget & { value: string };

function searchPage(field: Field, show: (text: string) => void, search: Search) {
  function* ask(text: string): Coroutine {
    yield* sleep(0.03); // the pause
    show(`asking for ${text}`);
    show(yield* until((signal) => search(text, signal))); // cancelled, it aborts the fetch
  }
  return function* (): Coroutine {
    yield* Nursery.open(function* (nursery) {
      let latest: Task | undefined;
      yield* fromEvent(field, "input").forEach(() => {
        latest?.cancel("a newer question");
        latest = nursery.startSoon(ask(field.value));
      });
    });
  };
}

/** What stands for the server: long answers take long. */
async function search(text: string, signal: AbortSignal): Promise<string> {
  signal.addEventListener("abort", () => console.log(`${text}: aborted`));
  await new Promise((resolve) => setTimeout(resolve, text.length > 4 ? 10 : 1000));
  return `found ${text}`;
}

const field: Field = Object.assign(new EventTarget(), { value: "" });
const portal = new Portal();
const page = portal.run(searchPage(field, console.log, search));
for (const [text, pause] of [["b", 5], ["br", 5], ["broo", 80], ["broomi", 5], ["broomio", 100]]) {
  field.value = text as string;
  field.dispatchEvent(new Event("input"));
  await new Promise((resolve) => setTimeout(resolve, pause as number));
}
await portal.close({ reason: "the page is left" });
await page.catch((reason) => console.log(reason));

/* Output:
asking for broo
broo: aborted
asking for broomio
found broomio
the page is left
*/
