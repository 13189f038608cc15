/**
 * The nodes of a file by what they are and by the function they stand in.
 *
 * Invariant: always in the order of the source.
 * Independent of: names, values, the rules.
 */
import { contains, functionAround, isFunction, type Node } from "./ast.ts";

/** The nodes of a file. */
export class Nodes {
  readonly #byType: Map<string, Node[]> = new Map();
  readonly #inFunction: Map<Node, Node[]> = new Map();

  /** @param nodes Every node that may hold code, the program first. */
  constructor(nodes: readonly Node[]) {
    for (const node of nodes) {
      push(this.#byType, node.type, node);
      if (node.type !== "Program") push(this.#inFunction, functionAround(node), node);
    }
  }

  /** Every node of a type. */
  ofType(type: string): Node[] {
    return this.#byType.get(type) ?? [];
  }

  /** The nodes of a type in a stretch of code, without those in functions inside it. */
  within(stretch: Node | null | undefined, type: string): Node[] {
    if (!stretch) return [];
    const { parent } = stretch;
    const fn = isFunction(parent) && parent.body === stretch ? parent : functionAround(stretch);
    return this.#inFunction.get(fn)?.filter((node) =>
      node.type === type && contains(stretch, node)
    ) ?? [];
  }
}

function push<K>(map: Map<K, Node[]>, key: K, node: Node): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [node]);
  else list.push(node);
}
