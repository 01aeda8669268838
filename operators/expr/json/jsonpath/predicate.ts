/**
 * Conditions of a path: true, false or unknown (null). An error in an operand is unknown.
 *
 * A comparison holds when it does for some pair of items of its two sides. Lax mode stops at the first that does; strict mode looks
 * at all, and one that cannot be compared makes it unknown.
 */
import { compareDecimal } from '../../decimal/compare.ts';
import { compileRegex } from '../../regex/regex.ts';
import { compareText } from '../../text/code_points.ts';
import { compareDatetimes } from './datetime.ts';
import type { Evaluator } from './evaluate.ts';
import { type Item, isDatetime, isNumber } from './item.ts';
import { type Chain, type ComparisonOperator, isPredicate, type Predicate } from './syntax.ts';
import { workOfComparison, workOfSearch } from './work.ts';

export type Verdict = boolean | null;

export function conditionOf(e: Evaluator, p: Predicate, item: Item): Verdict {
  switch (p.k) {
    case 'and':
    case 'or': {
      const decisive = p.k === 'or';
      let verdict: Verdict = !decisive;
      for (const arg of p.args) {
        const v = nested(e, arg, item);
        if (v === decisive) return v;
        if (v === null) verdict = null;
      }
      return verdict;
    }
    case 'not': {
      const v = nested(e, p.arg, item);
      return v === null ? null : !v;
    }
    case 'isUnknown':
      return nested(e, p.arg, item) === null;
    case 'exists':
      return e.tolerant(() => e.exists(p.arg, item));
    case 'compare':
      return somePair(e, p.left, p.right, true, item, (a, b) => {
        e.count(workOfComparison(a, b));
        return compare(e, p.op, a, b);
      });
    case 'startsWith':
      return somePair(e, p.arg, p.prefix, false, item, (a, b) => {
        e.count(workOfComparison(a, b));
        return typeof a === 'string' && typeof b === 'string' ? a.startsWith(b) : null;
      });
    case 'likeRegex': {
      const regex = compileRegex(p.pattern, p.options);
      return somePair(e, p.arg, null, false, item, (a) => {
        e.count(workOfSearch(a));
        return typeof a === 'string' ? regex.test(a) : null;
      });
    }
  }
}

function nested(e: Evaluator, chain: Chain, item: Item): Verdict {
  const [p] = chain;
  if (!isPredicate(p)) throw new Error('a condition wants a predicate');
  return conditionOf(e, p, item);
}

/** The verdict over all pairs; without a right side, over the items of the left. */
function somePair(
  e: Evaluator,
  left: Chain,
  right: Chain | null,
  unwrapRight: boolean,
  item: Item,
  test: (a: Item, b: Item) => Verdict,
): Verdict {
  const lefts = e.tolerant(() => e.operand(left, item, true));
  if (!lefts) return null;
  const rights = right ? e.tolerant(() => e.operand(right, item, unwrapRight)) : [null];
  if (!rights) return null;
  let [found, unknown] = [false, false];
  for (const a of lefts) {
    for (const b of rights) {
      e.count();
      const verdict = test(a, b);
      if (verdict === null) {
        if (!e.lax) return null;
        unknown = true;
      } else if (verdict) {
        if (e.lax) return true;
        found = true;
      }
    }
  }
  if (found) return true;
  return unknown ? null : false;
}

function compare(e: Evaluator, op: ComparisonOperator, a: Item, b: Item): Verdict {
  if (a === null || b === null) return a === b ? holds(op, 0) : op === '!=';
  if (typeof a === 'string' && typeof b === 'string') return holds(op, a === b ? 0 : compareText(a, b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return holds(op, Number(a) - Number(b));
  if (isNumber(a) && isNumber(b)) return holds(op, compareDecimal(a, b));
  if (!isDatetime(a) || !isDatetime(b)) return null;
  const order = compareDatetimes(a, b, e.zoned, e.ctx);
  return order === null ? null : holds(op, order);
}

function holds(op: ComparisonOperator, order: number): boolean {
  switch (op) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}
