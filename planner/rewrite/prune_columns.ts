/**
 * Column pruning: every node gives only what is needed above it, down to the columns a source reads. This decides the size of all
 * state. A node that stores its input's rows gets a projection below it that keeps nothing else; projections of plain columns cost
 * nothing in the dataflow plan.
 *
 * Equal subplans (plan_classes.ts) are pruned alike, by the union of their needs, so that they stay equal and are computed once.
 * Nodes whose rows are compared as a whole (DISTINCT, EXCEPT, INTERSECT, UNION) and recursions keep all their columns.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { outputColumns } from '../logical/columns.ts';
import { columnsOf } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { idsNamedBy, keepColumns, outputIds } from '../logical/tree.ts';
import { planExprs } from '../logical/walk.ts';
import { type PlanClass, planClasses } from './plan_classes.ts';

type Needed = ReadonlySet<number>;

/** `plan` with no more than what `needed` takes. The output may still hold other columns that are free to compute. */
export function pruneColumns(plan: Logical, needed: Needed): Logical {
  const classes = planClasses(plan);
  // A class's needs grow while its members are visited; members visited before that must see them too.
  for (;;) {
    const before = demand(classes);
    const pruned = prune(plan, needed, classes);
    if (demand(classes) === before) return pruned;
  }
}

type Classes = ReadonlyMap<Logical, PlanClass>;

function demand(classes: Classes): number {
  let sum = 0;
  for (const c of classes.values()) sum += c.needed.size;
  return sum;
}

/** What any of the equal subplans needs, as columns of this one. */
function sharedNeed(plan: Logical, needed: Needed, classes: Classes): Needed {
  const own = classes.get(plan);
  if (!own || own.members === 1 || !own.stateful) return needed;
  const cols = outputColumns(plan);
  cols.forEach((c, i) => {
    if (needed.has(c.id)) own.needed.add(i);
  });
  return new Set([...needed, ...[...own.needed].map((i) => cols[i].id)]);
}

function prune(plan: Logical, wanted: Needed, classes: Classes): Logical {
  const needed = sharedNeed(plan, wanted, classes);
  const input = (p: Logical, ids: Needed): Logical => prune(p, ids, classes);
  const exact = (p: Logical, ids: Needed): Logical => exactly(prune(p, ids, classes), ids);
  switch (plan.op) {
    case 'get':
    case 'once': {
      const kept = plan.cols.flatMap((c, i) => (needed.has(c.id) ? [i] : []));
      return { ...plan, columns: kept.map((i) => plan.columns[i]), cols: kept.map((i) => plan.cols[i]) };
    }
    case 'values': {
      const kept = plan.cols.flatMap((c, i) => (needed.has(c.id) ? [i] : []));
      return { ...plan, rows: plan.rows.map((r) => kept.map((i) => r[i])), cols: kept.map((i) => plan.cols[i]) };
    }
    case 'filter':
      return { ...plan, input: input(plan.input, withExprs(needed, planExprs(plan))) };
    case 'project': {
      const items = plan.items.filter((i) => needed.has(i.col.id));
      return {
        ...plan,
        items,
        input: input(
          plan.input,
          withExprs(
            new Set(),
            items.map((i) => i.expr),
          ),
        ),
      };
    }
    case 'join':
    case 'asof': {
      const wanted = new Set([...withExprs(needed, planExprs(plan)), ...idsNamedBy(plan)]);
      return { ...plan, left: exact(plan.left, wanted), right: exact(plan.right, wanted) };
    }
    case 'aggregate': {
      const aggregates = plan.aggregates.filter((a) => needed.has(a.out.id));
      const own = { ...plan, aggregates };
      return { ...own, input: input(plan.input, withExprs(new Set(), planExprs(own))) };
    }
    case 'window': {
      const windows = plan.windows.filter((w) => needed.has(w.out.id));
      if (windows.length === 0) return input(plan.input, needed);
      const own = { ...plan, windows };
      return { ...own, input: exact(plan.input, withExprs(needed, planExprs(own))) };
    }
    case 'topn': {
      const rank = plan.rank && needed.has(plan.rank.out.id) ? plan.rank : undefined;
      return { ...plan, rank, input: exact(plan.input, withExprs(needed, planExprs(plan))) };
    }
    case 'distinct':
      return { ...plan, input: exact(plan.input, outputIds(plan.input)) };
    case 'setop':
      return pruneSetOp(plan, needed, classes);
    case 'tablefunc':
      return { ...plan, input: exact(plan.input, withExprs(needed, planExprs(plan))) };
    case 'timewindow':
    case 'single_row':
    case 'temporal':
      return { ...plan, input: exact(plan.input, new Set([...needed, ...idsNamedBy(plan)])) };
    case 'recursive':
      return { ...plan, base: exact(plan.base, outputIds(plan.base)), step: exact(plan.step, outputIds(plan.step)) };
    case 'working':
      return plan;
    case 'apply':
      throw new Error('columns are pruned after decorrelation');
  }
}

function withExprs(needed: Needed, exprs: Expr[]): Set<number> {
  const all = new Set(needed);
  for (const e of exprs) columnsOf(e, all);
  return all;
}

/** Cut to exactly the needed columns. */
function exactly(pruned: Logical, needed: Needed): Logical {
  return keepColumns(
    pruned,
    outputColumns(pruned).filter((c) => needed.has(c.id)),
  );
}

/** UNION ALL drops a column in both arms; the others compare whole rows. */
function pruneSetOp(plan: Logical & { op: 'setop' }, needed: Needed, classes: Classes): Logical {
  const free = plan.kind === 'union' && plan.all;
  const kept = plan.cols.flatMap((c, i) => (!free || needed.has(c.id) ? [i] : []));
  const arm = (side: Logical): Logical => {
    const cols = kept.map((i) => outputColumns(side)[i]);
    return keepColumns(prune(side, new Set(cols.map((c) => c.id)), classes), cols);
  };
  return { ...plan, left: arm(plan.left), right: arm(plan.right), cols: kept.map((i) => plan.cols[i]) };
}
