/** The table of operations follows from the package's types. */
import { assert, assertEquals } from "@std/assert";
import { differences, type Doc, format, makeTable, readDoc } from "../../scripts/lint_table.ts";
import { TABLE } from "../../src/lint/table.ts";

Deno.test("R61: the rules know every operation behind every door, as its type says", () => {
  const made = makeTable(readDoc());
  assertEquals(differences(TABLE, made), [], "run deno task lint:table --write");
  for (const name of ["sleep", "Nursery.open", "Lock#acquire", "TcpListenSocket.listen"]) {
    assert(made[name]?.includes("=> *"), name);
  }
});

Deno.test("R61: an operation that is added to the package is in the table at once", () => {
  const operation = (...typeParams: unknown[]) => ({
    kind: "typeRef",
    value: { typeName: "Operation", typeParams },
  });
  const named = (typeName: string) => ({ kind: "typeRef", value: { typeName } });
  const param = (tsType: unknown) => ({ kind: "identifier", tsType });
  const fn = (
    name: string,
    params: unknown[],
    returnType: unknown,
    typeParams: unknown[] = [],
  ) => ({
    name,
    declarations: [{ kind: "function", def: { params, returnType, typeParams } }],
  });
  const body = { kind: "typeRef", value: { typeName: "Body", typeParams: [named("T")] } };
  const symbols = [
    fn("pause", [param(named("number"))], operation()),
    fn("within", [param(body)], operation(named("T")), [{ name: "T" }]),
    fn("plain", [param(named("number"))], named("number")),
    {
      name: "Door",
      declarations: [{
        kind: "class",
        def: {
          methods: [{
            name: "open",
            isStatic: true,
            functionDef: { params: [], returnType: operation(named("Door")) },
          }],
          properties: [],
        },
      }],
    },
  ];
  const table = makeTable({ nodes: { "mod.ts": { symbols } } } as unknown as Doc);
  assertEquals(table, {
    Door: "type",
    "Door.open": "() => *Door",
    pause: "() => *",
    within: "(body) => *@0",
  });
  const { pause, ...older } = table;
  assertEquals(pause, "() => *");
  assertEquals(differences(older, table), ["pause: missing, but () => *"]);
  assertEquals(differences({ ...table, gone: "() => *" }, table), ["gone: () => *, but gone"]);
  assert(format(table).includes('  pause: "() => *",\n'));
});
