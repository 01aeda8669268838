/**
 * Column ids of logical plans: fresh ids, free (outer) ids, renumbered copies; and small node constructors. See also walk.ts.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { ColType } from '../../operators/types.ts';
import { outputColumns } from './columns.ts';
import { column, columnsOf } from './expressions.ts';
import type { Col, Logical } from './plan.ts';
import { mapChildren, mapPlanExprs, planExprs, planInputs, withInputs } from './walk.ts';

/** Hands out column ids that the plan does not use yet. */
export class Ids {
  private last: number | null = null;
  private readonly plan: Logical;

  constructor(plan: Logical) {
    this.plan = plan;
  }

  next(): number {
    this.last = (this.last ?? maxId(this.plan)) + 1;
    return this.last;
  }

  col(name: string, type: ColType): Col {
    return { id: this.next(), name, type };
  }
}

/** Bottom-up rewrite of every node. */
export function rewritePlan(p: Logical, f: (p: Logical) => Logical): Logical {
  return f(
    withInputs(
      p,
      planInputs(p).map((x) => rewritePlan(x, f)),
    ),
  );
}

export function outputIds(p: Logical): Set<number> {
  return new Set(outputColumns(p).map((c) => c.id));
}

/** Input columns that a node names by id outside expressions. */
export function idsNamedBy(p: Logical): number[] {
  switch (p.op) {
    case 'timewindow':
      return [p.time, ...p.keys];
    case 'asof':
      return [p.leftTime, p.rightTime];
    case 'single_row':
      return p.keys;
    case 'temporal':
      return [p.from, p.until].filter((id) => id !== null);
    default:
      return [];
  }
}

/** Ids that the subtree reads and does not produce: its correlation with outer queries. `closed`: subplans that are known to have none. */
export function freeIds(plan: Logical, closed: ReadonlySet<Logical> = new Set()): Set<number> {
  // A WITH query stands wherever it is read.
  const known = new Map<Logical, Set<number>>();
  const of = (p: Logical): Set<number> => {
    const before = known.get(p);
    if (before !== undefined) return before;
    if (closed.has(p)) return new Set();
    const free = new Set<number>();
    for (const input of planInputs(p)) for (const id of of(input)) free.add(id);
    for (const e of planExprs(p)) columnsOf(e, free);
    for (const id of idsNamedBy(p)) free.add(id);
    for (const input of planInputs(p)) for (const c of outputColumns(input)) free.delete(c.id);
    known.set(p, free);
    return free;
  };
  return of(plan);
}

function maxId(p: Logical): number {
  let max = 0;
  for (const c of outputColumns(p)) max = Math.max(max, c.id);
  for (const e of planExprs(p)) for (const id of columnsOf(e)) max = Math.max(max, id);
  for (const input of planInputs(p)) max = Math.max(max, maxId(input));
  return p.op === 'recursive' ? Math.max(max, p.id) : max;
}

/** Replaces column ids throughout a subtree, definitions included. */
function renumber(p: Logical, ids: ReadonlyMap<number, number>): Logical {
  const inputs = planInputs(p).map((x) => renumber(x, ids));
  return renumberNode(withInputs(p, inputs), ids);
}

/** Replaces the column ids that one node uses and defines; its inputs are left alone. */
export function renumberNode(p: Logical, ids: ReadonlyMap<number, number>): Logical {
  if (ids.size === 0) return p;
  const id = (n: number): number => ids.get(n) ?? n;
  const col = (c: Col): Col => (ids.has(c.id) ? { ...c, id: id(c.id) } : c);
  const expr = (e: Expr): Expr => (e.k === 'col' ? { ...e, id: id(e.id) } : mapChildren(e, expr));
  const q = mapPlanExprs(p, expr);
  switch (q.op) {
    case 'get':
    case 'values':
    case 'setop':
    case 'once':
      return { ...q, cols: q.cols.map(col) };
    case 'working':
    case 'recursive':
      return { ...q, id: id(q.id), cols: q.cols.map(col) };
    case 'project':
      return { ...q, items: q.items.map((i) => ({ ...i, col: col(i.col) })) };
    case 'apply':
      return 'out' in q ? { ...q, out: col(q.out) } : q;
    case 'aggregate':
      return {
        ...q,
        keys: q.keys.map((k) => ({ ...k, col: col(k.col) })),
        aggregates: q.aggregates.map((a) => ({ ...a, out: col(a.out) })),
        grouping: q.grouping?.map((g) => ({ ...g, out: col(g.out) })),
      };
    case 'window':
      return { ...q, windows: q.windows.map((w) => ({ ...w, out: col(w.out) })) };
    case 'tablefunc':
      return { ...q, cols: q.cols.map(col), ordinality: q.ordinality && col(q.ordinality) };
    case 'timewindow':
      return { ...q, time: id(q.time), keys: q.keys.map(id), start: col(q.start), end: col(q.end) };
    case 'asof':
      return { ...q, leftTime: id(q.leftTime), rightTime: id(q.rightTime) };
    case 'topn':
      return q.rank ? { ...q, rank: { ...q.rank, out: col(q.rank.out) } } : q;
    case 'single_row':
      return { ...q, keys: q.keys.map(id) };
    case 'temporal':
      return { ...q, from: q.from === null ? null : id(q.from), until: q.until === null ? null : id(q.until) };
    default:
      return q;
  }
}

/** Ids defined anywhere inside the subtree (columns, and the ids of recursions). */
export function definedIds(p: Logical, into: Set<number> = new Set()): Set<number> {
  for (const input of planInputs(p)) definedIds(input, into);
  for (const c of outputColumns(p)) into.add(c.id);
  if (p.op === 'recursive') into.add(p.id);
  return into;
}

/** A copy whose own columns have fresh ids; free ids stay. `ids` maps the original's columns to the copy's. */
export function freshCopy(p: Logical, fresh: Ids): { plan: Logical; ids: Map<number, number> } {
  const ids = new Map<number, number>();
  for (const id of definedIds(p)) ids.set(id, fresh.next());
  return { plan: renumber(p, ids), ids };
}

/** Keeps exactly these columns of `p`, in this order. */
export function keepColumns(p: Logical, cols: Col[]): Logical {
  const out = outputColumns(p);
  if (out.length === cols.length && out.every((c, i) => c.id === cols[i].id)) return p;
  return { op: 'project', input: p, items: cols.map((col) => ({ col, expr: column(col) })) };
}

/** `p`, plus computed columns. */
export function extend(p: Logical, items: { col: Col; expr: Expr }[]): Logical {
  if (items.length === 0) return p;
  return { op: 'project', input: p, items: [...outputColumns(p).map((col) => ({ col, expr: column(col) })), ...items] };
}

export function filterBy(input: Logical, predicate: Expr): Logical {
  return predicate.k === 'const' && predicate.v === true ? input : { op: 'filter', input, predicate };
}
