/**
 * The domain of a correlated subquery: the distinct values of the outer columns it uses.
 *
 *   D = distinct(project(left, outer columns))        apply(left, right)  =  left join push(right, D) on left.c is not distinct from D.c
 *
 * `left` itself may hold duplicates; D holds each value once, so the subquery is computed once per value and the final join brings
 * the duplicates back. Each use of D in a plan is a copy with ids of its own; the copies become one node when the plan is built.
 *
 * Subqueries beside one another are taken out in turn, each over a left that the ones before were joined to. D is of the rows below these joins, which have the same values: else n
 * subqueries would have 3^n copies.
 */
import type { Expr } from '../../../operators/expr/ir.ts';
import { sameValue } from '../../analyse/functions.ts';
import { column, columnsOf } from '../../logical/expressions.ts';
import type { Col, Logical } from '../../logical/plan.ts';
import { freshCopy, type Ids, outputIds } from '../../logical/tree.ts';
import { refuseTooManyCopies } from '../../logical/written_out.ts';

/** Outer column id -> the column that carries its value. */
export type Carried = Map<number, Col>;

export class Domain {
  readonly outer: Col[];
  private readonly left: Logical;
  private readonly ids: Ids;

  constructor(left: Logical, outer: Col[], ids: Ids) {
    this.left = rowsOf(left, new Set(outer.map((c) => c.id)));
    refuseTooManyCopies(this.left);
    this.outer = outer;
    this.ids = ids;
  }

  /** A fresh copy of D. */
  make(): { plan: Logical; carried: Carried } {
    const copy = freshCopy(this.left, this.ids);
    const carried: Carried = new Map();
    const items = this.outer.map((c) => {
      const col = this.ids.col(c.name, c.type);
      carried.set(c.id, col);
      return { col, expr: column({ id: copy.ids.get(c.id)!, type: c.type }) };
    });
    return { plan: { op: 'distinct', input: { op: 'project', input: copy.plan, items } }, carried };
  }

  /** Fresh columns to carry the outer values. */
  columns(): Carried {
    return new Map(this.outer.map((c) => [c.id, this.ids.col(c.name, c.type)]));
  }

  /** The outer columns' values are the carried ones, NULL equal to NULL. */
  matches(carried: Carried): Expr[] {
    return this.outer.map((c) => sameValue(column(c), column(carried.get(c.id)!)));
  }
}

/** Joins that every row of their left side leaves: what subqueries with one row for each of them became. */
const keepers = new WeakSet<Logical>();

/** Notes that every row of the join's left side leaves it. */
export function keepingLeft(join: Logical): Logical {
  keepers.add(join);
  return join;
}

/** The part of `left` that has the same values of these columns, if not as often: of a join that keeps every row of its left side, that side. */
function rowsOf(left: Logical, used: ReadonlySet<number>): Logical {
  if (left.op === 'project') {
    const items = left.items.filter(({ col }) => used.has(col.id));
    const below = new Set<number>();
    for (const { expr } of items) columnsOf(expr, below);
    const input = rowsOf(left.input, below);
    if (items.every(({ col, expr }) => expr.k === 'col' && expr.id === col.id)) return input;
    return input === left.input ? left : { ...left, items, input };
  }
  if (left.op !== 'join' || !(left.kind === 'left' || keepers.has(left))) return left;
  const own = outputIds(left.left);
  return [...used].every((id) => own.has(id)) ? rowsOf(left.left, used) : left;
}

/** Two sets of carried columns hold the same values. */
export function sameCarried(a: Carried, b: Carried): Expr[] {
  return [...a].map(([id, col]) => sameValue(column(col), column(b.get(id)!)));
}
