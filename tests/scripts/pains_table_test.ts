/** The table of what goes wrong elsewhere: how it is read from the programs. */
import { assertEquals, assertThrows } from "@std/assert";
import { readPain, tableOf } from "../../scripts/pains_table.ts";

const program = (output: string) =>
  `// deno run examples/pains/a.ts\n// Does it end?\nrun();\n\n/* Output:\n${output}*/\n`;
const lines = "promises: no\neffection: yes\neffect: yes\nbroomio: yes\n";

Deno.test("pains: a row is the question and what each side printed", () => {
  assertEquals(
    tableOf([readPain("a.ts", program(lines))]),
    "|  | promises | Effection 4 | Effect 4 | Broomio |\n| --- | --- | --- | --- | --- |\n" +
      "| [Does it end?](a.ts) | no | yes | yes | yes |\n",
  );
});

Deno.test("pains: another way of the same side stands in brackets behind the first", () => {
  const pain = readPain("a.ts", program(lines + "broomio without shield: no\n"));
  assertEquals(pain.answers.get("broomio"), "yes (without shield: no)");
});

Deno.test("pains: a program without a question, or that leaves a side out, is an error", () => {
  assertThrows(
    () => readPain("a.ts", program(lines).replace("// Does it end?\n", "")),
    Error,
    "the second line must say",
  );
  assertThrows(
    () => readPain("a.ts", program(lines.replace("effect: yes\n", ""))),
    Error,
    "prints nothing about effect",
  );
  assertThrows(() => readPain("a.ts", program("nonsense\n")), Error, "cannot read the line");
});
