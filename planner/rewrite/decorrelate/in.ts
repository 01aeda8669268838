/**
 * x op ANY / ALL (subquery), IN and NOT IN (apply in).
 *
 * As a condition of a filter, with c = the comparison of x with a row of the subquery:
 *
 *   x op ANY       semi-join on c                NOT (x op ANY)    anti-join on c IS NOT FALSE      (NOT IN)
 *   x op ALL       anti-join on c IS NOT TRUE    NOT (x op ALL)    semi-join on c IS FALSE
 *
 * As a value: counts of the rows where c is true, false and NULL, and PostgreSQL's three-valued rule over them.
 */
import { unsupported } from '../../../operators/errors.ts';
import type { Expr } from '../../../operators/expr/ir.ts';
import { canFail, compareBy, isEquality, negatorOf } from '../../analyse/functions.ts';
import { outputColumns } from '../../logical/columns.ts';
import {
  BOOL,
  caseWhen,
  column,
  conjunction,
  constant,
  disjunction,
  FALSE,
  INT8,
  isNull,
  not,
  TRUE,
} from '../../logical/expressions.ts';
import type { Col, Logical } from '../../logical/plan.ts';
import type { Ids } from '../../logical/tree.ts';
import { correlate, splitTop } from './correlate.ts';
import { eliminateLateral, isCorrelated } from './lateral.ts';

type Apply = Extract<Logical, { op: 'apply'; kind: 'in' }>;

/** The comparison of the tested values with one row of the subquery; `negated` says it is that of an equality's negator. */
function comparison(p: Apply, values: Expr[]): { equal: Expr | null; compare: Expr } {
  const negated = p.fn.map((fn) => negatorOf(fn));
  const opposite = negated.every((fn) => fn !== null && isEquality(fn));
  const pairs = (fns: (string | null)[]): Expr[] => fns.map((fn, i) => compareBy(fn!, p.test[i], values[i]));
  if (p.fn.every(isEquality)) {
    const equal = conjunction(pairs(p.fn));
    return { equal, compare: equal };
  }
  if (opposite) return { equal: conjunction(pairs(negated)), compare: disjunction(pairs(p.fn)) };
  if (p.fn.length !== 1) throw unsupported('a row comparison other than = and <> with a subquery');
  return { equal: null, compare: pairs(p.fn)[0] };
}

/** Rows of left for which the test is true (`positive`) or false. */
export function inJoin(p: Apply, positive: boolean, ids: Ids): Logical {
  const top = splitTop(p.right);
  const risky = [...top.items.values()].some(canFail) && isCorrelated(p);
  const { core, items } = risky ? { core: p.right, items: new Map<number, Expr>() } : top;
  const joinable = correlate(p.left, core, ids);
  if (joinable.empty !== null) return valueFilter(p, positive, ids);
  const values = outputColumns(p.right).map((c) => items.get(c.id) ?? column(c));
  const { equal, compare } = comparison(p, values);
  const isEqualityTest = equal === compare;
  const is = (e: Expr, value: boolean, negated: boolean): Expr => ({ k: 'istruth', arg: e, value, negated, t: BOOL });
  let on: Expr;
  if (positive !== p.all) {
    // ANY wants a row where c holds; NOT ALL one where it is false, which for <> is where the values are equal.
    on = p.all ? (equal && !isEqualityTest ? equal : is(compare, false, false)) : compare;
  } else if (p.all) on = equal && !isEqualityTest ? is(equal, false, true) : is(compare, true, true);
  else on = is(compare, false, true);
  const kind = positive !== p.all ? 'semi' : 'anti';
  return { op: 'join', kind, left: joinable.left, right: joinable.plan, on: conjunction([...joinable.on, on]) };
}

function valueFilter(p: Apply, positive: boolean, ids: Ids): Logical {
  const out = column(p.out);
  const input = inValue(p, ids);
  const kept = outputColumns(p.left).map((col) => ({ col, expr: column(col) }));
  return { op: 'project', input: { op: 'filter', input, predicate: positive ? out : not(out) }, items: kept };
}

/** Left with the boolean column `out`, NULL where SQL says so. */
export function inValue(p: Apply, ids: Ids): Logical {
  // The tested values become columns of left, so that they count as outer columns.
  const tests: Col[] = p.test.map((e) => ids.col('', e.t));
  const passed = outputColumns(p.left).map((col) => ({ col, expr: column(col) }));
  const left: Logical = {
    op: 'project',
    input: p.left,
    items: [...passed, ...p.test.map((expr, i) => ({ col: tests[i], expr }))],
  };
  const { compare } = comparison({ ...p, test: tests.map(column) }, outputColumns(p.right).map(column));
  const result = ids.col('', BOOL);
  const compared: Logical = { op: 'project', input: p.right, items: [{ col: result, expr: compare }] };
  const decisive = ids.col('', INT8);
  const unknown = ids.col('', INT8);
  const count = (out: Col, filter: Expr) => ({ out, fn: 'count()', args: [], distinct: false, filter, orderBy: [] });
  const counted: Logical = {
    op: 'aggregate',
    input: compared,
    keys: [],
    aggregates: [count(decisive, p.all ? not(column(result)) : column(result)), count(unknown, isNull(column(result)))],
  };
  const joined = eliminateLateral({ op: 'apply', kind: 'cross', left, right: counted, on: null }, ids);
  const some = (c: Col): Expr => compareBy('int8gt(int8,int8)', column(c), constant(0n, INT8));
  const arms: [Expr, Expr][] = [
    [some(decisive), p.all ? FALSE : TRUE],
    [some(unknown), constant(null, BOOL)],
  ];
  const expr = caseWhen(arms, p.all ? TRUE : FALSE);
  return { op: 'project', input: joined, items: [...passed, { col: p.out, expr }] };
}
