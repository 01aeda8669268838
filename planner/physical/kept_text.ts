/** EXPLAIN's words for what a view's join keeps for ever, and for what would let it go. */
import type { DataflowPlan } from '../../operators/plan.ts';
import type { NodeRemark } from './explain.ts';
import type { Remedy } from './kept_remedy.ts';
import { keptRows } from './kept_rows.ts';

/** Says it of the joins of a view's plan. */
export function keptRemark(plan: DataflowPlan, relationName: (oid: number) => string): NodeRemark {
  const kept = keptRows(plan);
  return (node) => {
    const here = kept.filter((k) => k.node === node);
    if (here.length === 0) return null;
    const relations = new Set(here.flatMap((k) => k.relations));
    const remedies = new Set(here.map((k) => remedyText(k.remedy, relationName)).filter((text) => text !== null));
    const text = `keeps every row of ${[...relations].map(relationName).join(' and ')}`;
    return remedies.size === 0 ? text : `${text}: ${[...remedies].join('; ')}`;
  };
}

function remedyText(remedy: Remedy, relationName: (oid: number) => string): string | null {
  switch (remedy.by) {
    case 'watermarks': {
      const times = remedy.of.map(({ relation, name }) => `${relationName(relation)}.${name}`).join(' and ');
      return `they would go if ${times} followed ${remedy.of.length === 1 ? 'a watermark' : 'watermarks'}`;
    }
    case 'distance':
      return "bound the time by now(), or to a constant distance from the other side's";
    case 'clock':
      return 'bound the time by now()';
    case 'none':
      return null;
  }
}
