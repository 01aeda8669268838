/** Goes through a syntax tree. Not by calls of its own: statements may be deeper than the stack. */
import type { PgNode } from './ast.ts';

/** Calls `visit` with each object of the tree, lists included, in no order. */
export function walkTree(root: PgNode, visit: (node: PgNode) => void): void {
  const left: PgNode[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    visit(node);
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) left.push(child);
  }
}
