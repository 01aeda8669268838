/** The column positions (or ids) that an expression reads. */

import { children } from './children.ts';
import type { Expr } from './ir.ts';

export function columnsOf(e: Expr, into: Set<number>): void {
  if (e.k === 'col') into.add(e.id);
  for (const child of children(e)) columnsOf(child, into);
}
