/**
 * The cheap way out of a correlated subquery: lift the correlated predicates to the top, so that no domain is needed.
 *
 *   right(l)  =  filter(on(l, r), plan)          plan does not depend on l
 *
 * Predicates pass filters, projections and inner joins freely. They pass an aggregate, DISTINCT, a window or a Top-N only when
 * every one is an equality `outer = local`: the local side then becomes a group (partition) column. A global aggregate has a row even
 * where no row matches; `empty` says what that row is.
 *
 * Rows that no outer row asks for are computed too, so an expression that may fail stands in the way (the domain is used then).
 */
import type { Expr } from '../../../operators/expr/ir.ts';
import { canFail, isEquality, isVolatile } from '../../analyse/functions.ts';
import { outputColumns } from '../../logical/columns.ts';
import {
  column,
  columnsOf,
  conjunction,
  conjuncts,
  constant,
  substitute,
  usesAny,
  usesOnly,
} from '../../logical/expressions.ts';
import type { Col, Logical } from '../../logical/plan.ts';
import { extend, filterBy, freeIds, type Ids, outputIds } from '../../logical/tree.ts';
import { planExprs } from '../../logical/walk.ts';
import { emptyValue } from './empty_value.ts';

export interface PulledUp {
  plan: Logical;
  /** Conjuncts over outer columns and plan's columns. */
  on: Expr[];
  /** Values of the row that exists where nothing matches, by output column; null when there is no such row. */
  empty: Map<number, Expr> | null;
}

export function pullUp(p: Logical, outer: ReadonlySet<number>, ids: Ids): PulledUp | null {
  if (!dependsOn(p, outer)) return { plan: p, on: [], empty: null };
  switch (p.op) {
    case 'filter':
      return pullFilter(p, outer, ids);
    case 'project':
      return pullProject(p, outer, ids);
    case 'join':
      return pullJoin(p, outer, ids);
    case 'aggregate':
      return pullAggregate(p, outer, ids);
    case 'distinct':
    case 'window':
    case 'topn':
      return pullPartitioned(p, outer, ids);
    default:
      return null;
  }
}

export function dependsOn(p: Logical, outer: ReadonlySet<number>): boolean {
  for (const id of freeIds(p)) if (outer.has(id)) return true;
  return false;
}

function pullFilter(p: Logical & { op: 'filter' }, outer: ReadonlySet<number>, ids: Ids): PulledUp | null {
  const input = pullUp(p.input, outer, ids);
  if (input === null || input.empty !== null) return null;
  const all = conjuncts(p.predicate);
  if (all.some(isVolatile)) return null;
  const local = all.filter((e) => !usesAny(e, outer));
  const lifted = all.filter((e) => usesAny(e, outer));
  if (input.on.length > 0 && local.some(canFail)) return null;
  return { plan: filterBy(input.plan, conjunction(local)), on: [...input.on, ...lifted], empty: null };
}

function pullProject(p: Logical & { op: 'project' }, outer: ReadonlySet<number>, ids: Ids): PulledUp | null {
  if (p.items.some((i) => usesAny(i.expr, outer) || canFail(i.expr) || isVolatile(i.expr))) return null;
  const input = pullUp(p.input, outer, ids);
  if (input === null) return null;
  const kept = new Set(p.items.map((i) => i.col.id));
  const needed = localColumns(input, outer).filter((c) => !kept.has(c.id));
  const items = [...p.items, ...needed.map((col) => ({ col, expr: column(col) }))];
  const empty = input.empty && new Map(p.items.map((i) => [i.col.id, substitute(i.expr, input.empty!)]));
  return { plan: { op: 'project', input: input.plan, items }, on: input.on, empty };
}

/** The plan's own columns that the lifted predicates read. */
function localColumns(input: PulledUp, outer: ReadonlySet<number>): Col[] {
  const used = new Set(input.on.flatMap((e) => [...columnsOf(e)]));
  return outputColumns(input.plan).filter((c) => used.has(c.id) && !outer.has(c.id));
}

function pullJoin(p: Logical & { op: 'join' }, outer: ReadonlySet<number>, ids: Ids): PulledUp | null {
  const on = conjuncts(p.on);
  if (on.some(isVolatile)) return null;
  if (p.kind === 'inner') {
    const left = pullUp(p.left, outer, ids);
    const right = pullUp(p.right, outer, ids);
    if (!left || !right || left.empty || right.empty) return null;
    const lifted = on.filter((e) => usesAny(e, outer));
    const local = on.filter((e) => !usesAny(e, outer));
    return {
      plan: { ...p, left: left.plan, right: right.plan, on: conjunction(local) },
      on: [...left.on, ...right.on, ...lifted],
      empty: null,
    };
  }
  if (p.kind === 'right' || p.kind === 'full' || dependsOn(p.right, outer) || on.some((e) => usesAny(e, outer)))
    return null;
  const left = pullUp(p.left, outer, ids);
  return left && left.empty === null ? { plan: { ...p, left: left.plan }, on: left.on, empty: null } : null;
}

/** `outer = local` equalities with each local side as a column of `plan`; null when a predicate is of another form. */
function asKeys(
  input: PulledUp,
  outer: ReadonlySet<number>,
  ids: Ids,
): { plan: Logical; on: Expr[]; keys: Col[] } | null {
  const local = outputIds(input.plan);
  const added: { col: Col; expr: Expr }[] = [];
  const keys: Col[] = [];
  const on: Expr[] = [];
  for (const e of input.on) {
    if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) return null;
    const at = e.args.findIndex((a) => usesOnly(a, local) && columnsOf(a).size > 0);
    if (at === -1 || !usesOnly(e.args[1 - at], outer)) return null;
    const side = e.args[at];
    if (canFail(side)) return null;
    let key = side.k === 'col' ? outputColumns(input.plan).find((c) => c.id === side.id) : undefined;
    if (!key) {
      key = ids.col('', side.t);
      added.push({ col: key, expr: side });
    }
    if (!keys.some((k) => k.id === key.id)) keys.push(key);
    on.push({ ...e, args: e.args.map((a, i) => (i === at ? column(key) : a)) });
  }
  return { plan: extend(input.plan, added), on, keys };
}

function pullAggregate(p: Logical & { op: 'aggregate' }, outer: ReadonlySet<number>, ids: Ids): PulledUp | null {
  if (planExprs(p).some((e) => usesAny(e, outer) || canFail(e) || isVolatile(e))) return null;
  const input = pullUp(p.input, outer, ids);
  if (input === null || input.empty !== null) return null;
  const keyed = asKeys(input, outer, ids);
  if (keyed === null) return null;
  // Key columns get new ids: below the aggregate they are the rows' own.
  const outs = new Map(keyed.keys.map((k) => [k.id, ids.col(k.name, k.type)]));
  const keys = [...p.keys, ...keyed.keys.map((k) => ({ col: outs.get(k.id)!, expr: column(k) }))];
  const renamed = new Map([...outs].map(([id, col]) => [id, column(col)]));
  const empty =
    p.keys.length > 0
      ? null
      : new Map(p.aggregates.map((a) => [a.out.id, constant(emptyValue(a.fn, a.out.type), a.out.type)]));
  return { plan: { ...p, input: keyed.plan, keys }, on: keyed.on.map((e) => substitute(e, renamed)), empty };
}

function pullPartitioned(
  p: Logical & { op: 'distinct' | 'window' | 'topn' },
  outer: ReadonlySet<number>,
  ids: Ids,
): PulledUp | null {
  if (planExprs(p).some((e) => usesAny(e, outer) || canFail(e) || isVolatile(e))) return null;
  const input = pullUp(p.input, outer, ids);
  if (input === null || input.empty !== null) return null;
  const keyed = asKeys(input, outer, ids);
  if (keyed === null) return null;
  const per = keyed.keys.map(column);
  const done = (plan: Logical): PulledUp => ({ plan, on: keyed.on, empty: null });
  switch (p.op) {
    case 'distinct': {
      const cols = [...outputColumns(p.input), ...keyed.keys.filter((k) => !outputIds(p.input).has(k.id))];
      const items = cols.map((col) => ({ col, expr: column(col) }));
      return done({ op: 'distinct', input: { op: 'project', input: keyed.plan, items } });
    }
    case 'window': {
      const windows = p.windows.map((w) => ({ ...w, partition: [...w.partition, ...per] }));
      return done({ ...p, input: keyed.plan, windows });
    }
    case 'topn':
      return done({ ...p, input: keyed.plan, partition: [...p.partition, ...per] });
  }
}
