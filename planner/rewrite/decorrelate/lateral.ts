/**
 * LATERAL joins (apply cross / left) without correlation.
 *
 *   right is projections, filters, set-returning functions over one row      they are applied to left itself
 *   no empty row            left [left] join plan on pulled and on
 *   right is one row always left join, with the row of the empty group where nothing matches
 */
import type { Expr } from '../../../operators/expr/ir.ts';
import { outputColumns } from '../../logical/columns.ts';
import { caseWhen, column, conjunction, conjuncts, isTrue, substitute } from '../../logical/expressions.ts';
import type { Col, Logical } from '../../logical/plan.ts';
import { filterBy, type Ids } from '../../logical/tree.ts';
import { alwaysOneRow, correlate, nullOf, splitTop, withMarker } from './correlate.ts';
import { keepingLeft } from './domain.ts';
import { dependsOn } from './pull_up.ts';

type Apply = Extract<Logical, { op: 'apply'; kind: 'cross' | 'left' }>;

export function eliminateLateral(p: Apply, ids: Ids): Logical {
  const inlined = inlineRows(p);
  if (inlined) return inlined;
  const { core, items } = splitTop(p.right);
  const outs = outputColumns(p.right);
  const on = p.on && substitute(p.on, items);
  const joinable = correlate(p.left, core, ids);
  const itemOf = (c: Col): Expr => items.get(c.id)!;
  const result = (input: Logical, value: (c: Col) => Expr): Logical => ({
    op: 'project',
    input,
    items: [
      ...outputColumns(p.left).map((col) => ({ col, expr: column(col) })),
      ...outs.map((col) => ({ col, expr: value(col) })),
    ],
  });
  const keepsLeft = on === null && alwaysOneRow(core);
  if (joinable.empty === null && (p.kind === 'cross' || keepsLeft)) {
    const all = conjunction([...joinable.on, ...conjuncts(on)]);
    const join: Logical = { op: 'join', kind: 'inner', left: joinable.left, right: joinable.plan, on: all };
    return result(keepsLeft ? keepingLeft(join) : join, itemOf);
  }
  const marked = withMarker(joinable.plan, ids);
  if (joinable.empty === null) {
    const all = conjunction([...joinable.on, ...conjuncts(on)]);
    const joined: Logical = { op: 'join', kind: 'left', left: joinable.left, right: marked.plan, on: all };
    return result(joined, (c) => marked.where(itemOf(c), nullOf(itemOf(c))));
  }
  const { empty } = joinable;
  const joined: Logical = {
    op: 'join',
    kind: 'left',
    left: joinable.left,
    right: marked.plan,
    on: conjunction(joinable.on),
  };
  const rows = result(joined, (c) => marked.where(itemOf(c), substitute(itemOf(c), empty)));
  const test = p.on ?? conjunction([]);
  if (isTrue(test)) return rows;
  if (p.kind === 'cross') return filterBy(rows, test);
  // The row always exists; LEFT JOIN keeps it with NULLs where the condition does not hold.
  const fresh = outs.map((c) => ids.col(c.name, c.type));
  const renamed = new Map(outs.map((c, i) => [c.id, column(fresh[i])]));
  const held: Logical = {
    op: 'project',
    input: rows,
    items: [
      ...outputColumns(p.left).map((col) => ({ col, expr: column(col) })),
      ...outs.map((c, i) => ({ col: fresh[i], expr: column(c) })),
    ],
  };
  return result(held, (c) => {
    const value = renamed.get(c.id)!;
    return caseWhen([[substitute(test, renamed), value]], nullOf(value));
  });
}

/** Row-wise subqueries (no relation below) become part of left's own pipeline; null when right is none. */
function inlineRows(p: Apply): Logical | null {
  if (p.kind === 'left' && !keepsRows(p.right, p.on)) return null;
  const plan = overLeft(p.right, p.left, p.kind === 'left');
  return plan && filterBy(plan, p.kind === 'cross' ? (p.on ?? conjunction([])) : conjunction([]));
}

/** A LEFT JOIN LATERAL whose right side is one set-returning function (its columns renamed at most), or always one row. */
function keepsRows(right: Logical, on: Expr | null): boolean {
  if (on !== null && !isTrue(on)) return false;
  if (right.op === 'values') return right.rows.length === 1;
  if (right.op === 'tablefunc') return right.input.op === 'values' && right.input.rows.length === 1;
  return right.op === 'project' && right.items.every((i) => i.expr.k === 'col') && keepsRows(right.input, null);
}

/** Rebuilds a chain of row-wise nodes on top of `left`; null when something else is below. */
export function overLeft(p: Logical, left: Logical, keepRows: boolean): Logical | null {
  const passed = outputColumns(left).map((col) => ({ col, expr: column(col) }));
  switch (p.op) {
    case 'values': {
      if (p.rows.length !== 1) return null;
      if (p.cols.length === 0) return left;
      const own = p.cols.map((col, i) => ({ col, expr: p.rows[0][i] }));
      return { op: 'project', input: left, items: [...passed, ...own] };
    }
    case 'project': {
      const input = overLeft(p.input, left, keepRows);
      return input && { op: 'project', input, items: [...passed, ...p.items] };
    }
    case 'filter': {
      const input = overLeft(p.input, left, keepRows);
      return input && { ...p, input };
    }
    case 'tablefunc': {
      const input = overLeft(p.input, left, keepRows);
      return input && { ...p, input, left: p.left || keepRows };
    }
    default:
      return null;
  }
}

/** True when right uses columns of left. */
export function isCorrelated(p: { left: Logical; right: Logical }): boolean {
  return dependsOn(p.right, new Set(outputColumns(p.left).map((c) => c.id)));
}
