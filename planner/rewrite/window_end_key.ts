/**
 * GROUP BY window_start, window_end: for TUMBLE and HOP the end follows from the start, so the end is no group key but is computed
 * again above the aggregate. Groups get smaller, and rows need not carry the end at all.
 *
 *   aggregate [k, start, end]   ->   project [k, start, start + size] (aggregate [k, start])
 */
import { interval } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, constant } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { rewritePlan } from '../logical/tree.ts';

type Aggregate = Logical & { op: 'aggregate' };

export function dropWindowEndKeys(plan: Logical): Logical {
  return rewritePlan(plan, (p) => {
    if (p.op !== 'aggregate' || p.groupingSets) return p;
    const origins = p.keys.map((k) => (k.expr.k === 'col' ? windowColumn(p.input, k.expr.id) : null));
    const end = origins.findIndex((o) => o?.bound === 'end');
    const start = origins.findIndex((o) => o?.bound === 'start' && o.window === origins[end]?.window);
    return end === -1 || start === -1 ? p : withoutEnd(p, start, end, origins[end]!.window.size);
  });
}

interface Origin {
  window: Logical & { op: 'timewindow' };
  bound: 'start' | 'end';
}

/** The time window that made a column, followed through nodes that pass it on unchanged. */
function windowColumn(p: Logical, id: number): Origin | null {
  switch (p.op) {
    case 'timewindow':
      if (p.kind === 'tumble' || p.kind === 'hop') {
        if (id === p.start.id) return { window: p, bound: 'start' };
        if (id === p.end.id) return { window: p, bound: 'end' };
      }
      return windowColumn(p.input, id);
    case 'project': {
      const item = p.items.find((i) => i.col.id === id);
      return item?.expr.k === 'col' ? windowColumn(p.input, item.expr.id) : null;
    }
    case 'filter':
    case 'tablefunc':
      return windowColumn(p.input, id);
    case 'join':
      // Padding makes both bounds NULL, and NULL + size is NULL.
      return outputColumns(p.left).some((c) => c.id === id) ? windowColumn(p.left, id) : windowColumn(p.right, id);
    default:
      return null;
  }
}

function withoutEnd(p: Aggregate, start: number, end: number, size: bigint): Logical {
  const from = p.keys[start].col;
  const t = from.type.oid === OID.timestamp ? 'timestamp' : 'timestamptz';
  const expr: Expr = {
    k: 'call',
    fn: `${t}_pl_interval(${t},interval)`,
    args: [column(from), constant(interval(0, 0, size), colType(OID.interval))],
    t: from.type,
    strict: true,
  };
  const aggregate: Aggregate = { ...p, keys: p.keys.filter((_, i) => i !== end) };
  const items = outputColumns(p).map((col) => ({ col, expr: col === p.keys[end].col ? expr : column(col) }));
  return { op: 'project', input: aggregate, items };
}
