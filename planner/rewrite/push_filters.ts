/**
 * Predicate pushdown: every conjunct goes down as far as it can, conditions of deeper filters before those of outer ones (the order
 * in which PostgreSQL evaluates them after flattening). On the way:
 *
 *   inner join         conditions of one side go to that side, the rest becomes ON; equalities carry constants to the other side
 *   outer join         a condition that rejects the padded rows turns it into a simpler join
 *   aggregate          conditions on group keys          window, topn   conditions on partition columns
 *   set operation      into both arms                    apply          conditions on left's columns
 *
 * Volatile conditions stay where they are.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isVolatile } from '../analyse/functions.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, columnsOf, conjuncts, isNeverTrue, substitute, usesOnly } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { planInputs, withInputs } from '../logical/walk.ts';
import { above, over, split } from './predicates.ts';
import { pushIntoJoin } from './push_into_join.ts';

/** The same plan with its filters pushed down. */
export function pushFilters(plan: Logical): Logical {
  return push(plan, []);
}

/** `p` with `predicates` applied to its output. */
export function push(p: Logical, predicates: Expr[]): Logical {
  if (predicates.some(isNeverTrue)) return { op: 'values', rows: [], cols: outputColumns(p) };
  switch (p.op) {
    case 'filter':
      return pushFilter(p, predicates);
    case 'project': {
      const items = new Map(p.items.map((i) => [i.col.id, i.expr]));
      const fixed = p.items.filter((i) => isVolatile(i.expr)).map((i) => i.col.id);
      const { down, stay } = split(predicates, (e) => !fixed.some((id) => columnsOf(e).has(id)));
      return above(
        {
          ...p,
          input: push(
            p.input,
            down.map((e) => substitute(e, items)),
          ),
        },
        stay,
      );
    }
    case 'join':
      return pushIntoJoin(p, predicates, push);
    case 'apply':
    case 'asof': {
      const { down, stay } = split(predicates, over(p.left));
      return above({ ...p, left: push(p.left, down), right: push(p.right, []) }, stay);
    }
    case 'aggregate':
      return pushAggregate(p, predicates);
    case 'window': {
      const common = p.windows.map((w) => new Set(w.partition.flatMap((e) => (e.k === 'col' ? [e.id] : []))));
      return unary(p, predicates, (e) => common.every((ids) => usesOnly(e, ids)));
    }
    case 'topn': {
      const ids = new Set(p.partition.flatMap((e) => (e.k === 'col' ? [e.id] : [])));
      const unlimited = p.limit === null && p.offset === null && !p.rank;
      return unary(p, predicates, (e) => unlimited || (ids.size > 0 && usesOnly(e, ids)));
    }
    case 'distinct':
    case 'temporal':
      return unary(p, predicates, () => true);
    case 'tablefunc':
      return unary(p, predicates, over(p.input));
    case 'timewindow': {
      const keys = new Set(p.keys);
      return unary(p, predicates, p.kind === 'session' ? (e) => keys.size > 0 && usesOnly(e, keys) : over(p.input));
    }
    case 'single_row': {
      const keys = new Set(p.keys);
      return unary(p, predicates, (e) => keys.size > 0 && usesOnly(e, keys));
    }
    case 'setop':
      return pushSetOp(p, predicates);
    case 'get':
    case 'values':
    case 'working':
    case 'once':
    case 'recursive':
      return above(
        withInputs(
          p,
          planInputs(p).map((x) => push(x, [])),
        ),
        predicates,
      );
  }
}

type Unary = Extract<Logical, { input: Logical }>;

function unary(p: Unary, predicates: Expr[], passes: (e: Expr) => boolean): Logical {
  const { down, stay } = split(predicates, (e) => columnsOf(e).size > 0 && passes(e));
  return above(withInputs(p, [push(p.input, down)]), stay);
}

/** A volatile condition must see the rows it saw: conditions from above stay above it. */
function pushFilter(p: Logical & { op: 'filter' }, predicates: Expr[]): Logical {
  const own = conjuncts(p.predicate);
  if (own.some(isVolatile)) return above({ ...p, input: push(p.input, []) }, predicates);
  return push(p.input, [...own, ...predicates]);
}

function pushAggregate(p: Logical & { op: 'aggregate' }, predicates: Expr[]): Logical {
  const keys = new Map(p.keys.map((k) => [k.col.id, k.expr]));
  const ids = new Set(p.groupingSets ? [] : p.keys.filter((k) => !isVolatile(k.expr)).map((k) => k.col.id));
  const { down, stay } = split(predicates, (e) => ids.size > 0 && columnsOf(e).size > 0 && usesOnly(e, ids));
  return above(
    {
      ...p,
      input: push(
        p.input,
        down.map((e) => substitute(e, keys)),
      ),
    },
    stay,
  );
}

function pushSetOp(p: Logical & { op: 'setop' }, predicates: Expr[]): Logical {
  const { down, stay } = split(predicates, () => true);
  const into = (side: Logical): Logical => {
    const cols = outputColumns(side);
    const by = new Map(p.cols.map((c, i) => [c.id, column(cols[i])]));
    return push(
      side,
      down.map((e) => substitute(e, by)),
    );
  };
  return above({ ...p, left: into(p.left), right: into(p.right) }, stay);
}
