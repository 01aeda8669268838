/**
 * Decorrelation: every apply becomes joins (Neumann and Kemper's unnesting, with the cheap cases first). Works bottom up, so a
 * subquery's own subqueries are gone before it is looked at; columns of queries further out are constants meanwhile.
 *
 *   filter over exists / in      semi- or anti-join                       exists.ts, in.ts
 *   exists / in as a value       counts joined back                       exists.ts, in.ts
 *   scalar subquery              left join, guarded against two rows      scalar.ts
 *   LATERAL                      join                                     lateral.ts
 *
 * How a subquery is cut loose from left's columns: correlate.ts (pull_up.ts, else domain.ts and push_domain.ts).
 */
import type { Expr } from '../../../operators/expr/ir.ts';
import { conjunction, conjuncts, FALSE, substitute, TRUE, usesAny } from '../../logical/expressions.ts';
import type { Logical } from '../../logical/plan.ts';
import { extend, filterBy, Ids } from '../../logical/tree.ts';
import { planInputs, withInputs } from '../../logical/walk.ts';
import { existsJoin, existsValue } from './exists.ts';
import { inJoin, inValue } from './in.ts';
import { eliminateLateral } from './lateral.ts';
import { eliminateScalar } from './scalar.ts';

type Apply = Extract<Logical, { op: 'apply' }>;
type TestApply = Extract<Logical, { op: 'apply'; kind: 'exists' | 'in' }>;

/** The same plan without apply. Column ids must be unique (unique_ids.ts). */
export function decorrelate(plan: Logical): Logical {
  const ids = new Ids(plan);
  const visit = (p: Logical): Logical => {
    const condition = p.op === 'filter' ? conditionOf(p) : null;
    if (condition) return visitCondition(condition);
    const rebuilt = withInputs(p, planInputs(p).map(visit));
    return rebuilt.op === 'apply' ? eliminate(rebuilt, ids) : rebuilt;
  };
  const visitCondition = ({ apply, positive, before, after }: Condition): Logical => {
    const left = visit(filterBy(apply.left, conjunction(before)));
    const whole = { ...apply, left, right: visit(apply.right) } as TestApply;
    const joined = whole.kind === 'exists' ? existsJoin(whole, positive, ids) : inJoin(whole, positive, ids);
    const known = positive ? TRUE : FALSE;
    const rest = after.map((e) => substitute(e, new Map([[apply.out.id, known]])));
    return filterBy(extend(joined, [{ col: apply.out, expr: known }]), conjunction(rest));
  };
  return visit(plan);
}

function eliminate(p: Apply, ids: Ids): Logical {
  switch (p.kind) {
    case 'cross':
    case 'left':
      return eliminateLateral(p, ids);
    case 'scalar':
      return eliminateScalar(p, ids);
    case 'exists':
      return existsValue(p, ids);
    case 'in':
      return inValue(p, ids);
  }
}

/** A filter that requires the subquery's test to be true (or false): `before` can be decided without it, `after` cannot. */
interface Condition {
  apply: TestApply;
  positive: boolean;
  before: Expr[];
  after: Expr[];
}

function conditionOf(p: Logical & { op: 'filter' }): Condition | null {
  const apply = p.input;
  if (apply.op !== 'apply' || (apply.kind !== 'exists' && apply.kind !== 'in')) return null;
  const all = conjuncts(p.predicate);
  const test = all.find((e) => polarity(e, apply.out.id) !== null);
  if (!test) return null;
  const rest = all.filter((e) => e !== test);
  const own = new Set([apply.out.id]);
  return {
    apply,
    positive: polarity(test, apply.out.id)!,
    before: rest.filter((e) => !usesAny(e, own)),
    after: rest.filter((e) => usesAny(e, own)),
  };
}

/** true for `out` and `out IS TRUE`, false for `NOT out` and `out IS FALSE`, null for anything else. */
function polarity(e: Expr, out: number): boolean | null {
  if (e.k === 'col') return e.id === out ? true : null;
  if (e.k === 'not') {
    const inner = polarity(e.arg, out);
    return inner === null ? null : !inner;
  }
  return e.k === 'istruth' && !e.negated && e.arg.k === 'col' && e.arg.id === out ? e.value : null;
}
