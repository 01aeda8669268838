/**
 * Checks between items of FROM: does one read another (LATERAL), do their names clash.
 */
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { freeIds } from '../logical/tree.ts';
import type { Level, NamespaceItem } from './level.ts';

/** True when `right` reads columns of `left`. */
export function dependsOn(right: Logical, left: Logical): boolean {
  const free = freeIds(right);
  return free.size > 0 && outputColumns(left).some((c) => free.has(c.id));
}

/** 42712 when two items have one name. */
export function namesClash(level: Level, a: NamespaceItem[], b: NamespaceItem[]): void {
  for (const x of a) {
    if (!x.relVisible) continue;
    for (const y of b) {
      if (!y.relVisible || x.name !== y.name) continue;
      const bothPlain = x.qualified && y.qualified;
      if (bothPlain && x.relation?.oid !== y.relation?.oid) continue;
      throw level.error('42712', `table name "${x.name}" specified more than once`);
    }
  }
}
