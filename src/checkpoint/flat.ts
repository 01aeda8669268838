/**
 * A tree of plain data as a flat list, and back: v8.serialize recurses, and a statement may be 2000 levels deep (decision 32).
 *
 *   { a: [1, x], b: x }   ->   0: names a, b -> 1, 2     1: items -> 3, 2     2: x ...     3: leaf 1
 *
 * What is shared stays shared.
 */
import type { Saved } from '../../operators/state/saved.ts';

type Node = { leaf: Saved } | { items: number[] } | { names: string[]; values: number[] };

export function flatten(root: unknown): Saved {
  const nodes: Node[] = [];
  const known = new Map<object, number>();
  const open: object[] = [];
  const reference = (value: unknown): number => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
      nodes.push({ leaf: value as Saved });
      return nodes.length - 1;
    }
    const seen = known.get(value);
    if (seen !== undefined) return seen;
    known.set(value, nodes.length);
    open.push(value);
    // Its place; what it has comes when its turn does.
    return nodes.push({ items: [] }) - 1;
  };
  reference(root);
  for (let value = open.pop(); value !== undefined; value = open.pop())
    nodes[known.get(value) as number] = nodeOf(value, reference);
  return nodes;
}

function nodeOf(value: object, reference: (value: unknown) => number): Node {
  if (Array.isArray(value)) return { items: value.map(reference) };
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new Error(`not plain data: ${value.constructor.name}`);
  return { names: Object.keys(value), values: Object.values(value).map(reference) };
}

export function unflatten(flat: Saved): unknown {
  const nodes = flat as Node[];
  const values = nodes.map((node): unknown => ('leaf' in node ? node.leaf : 'items' in node ? [] : {}));
  nodes.forEach((node, i) => {
    if ('items' in node) (values[i] as unknown[]).push(...node.items.map((item) => values[item]));
    else if ('names' in node)
      Object.assign(
        values[i] as object,
        Object.fromEntries(node.names.map((name, k) => [name, values[node.values[k]]])),
      );
  });
  return values[0];
}
