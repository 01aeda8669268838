/**
 * The domain of a correlated subquery: the distinct values of the outer columns it uses.
 *
 *   D = distinct(project(left, outer columns))        apply(left, right)  =  left join push(right, D) on left.c is not distinct from D.c
 *
 * `left` itself may hold duplicates; D holds each value once, so the subquery is computed once per value and the final join brings
 * the duplicates back. Each use of D in a plan is a copy with ids of its own; the copies become one node when the plan is built.
 */
import type { Expr } from '../../../operators/expr/ir.ts';
import { sameValue } from '../../analyse/functions.ts';
import { column } from '../../logical/expressions.ts';
import type { Col, Logical } from '../../logical/plan.ts';
import { freshCopy, type Ids } from '../../logical/tree.ts';

/** Outer column id -> the column that carries its value. */
export type Carried = Map<number, Col>;

export class Domain {
  readonly outer: Col[];
  private readonly left: Logical;
  private readonly ids: Ids;

  constructor(left: Logical, outer: Col[], ids: Ids) {
    this.left = left;
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

/** Two sets of carried columns hold the same values. */
export function sameCarried(a: Carried, b: Carried): Expr[] {
  return [...a].map(([id, col]) => sameValue(column(col), column(b.get(id)!)));
}
