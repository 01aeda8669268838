/**
 * Comparison of rows, field by field:
 *
 *   (a, b) =  (c, d)   a = c AND b = d                    (a, b) <> (c, d)   a <> c OR b <> d
 *   (a, b) <  (c, d)   a < c OR (a = c AND b < d)         with NULL where the first unequal pair has a NULL
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import { BOOL, operatorCall } from './coercion.ts';
import type { Level } from './level.ts';

const ORDER = ['<', '<=', '>', '>='];

/** Compares two rows by an operator name. */
export function compareRows(level: Level, name: string, left: Expr[], right: Expr[], at: number): Expr {
  checkLengths(level, left, right, at);
  const pairs = left.map((l, i) => compare(level, name, l, right[i], at));
  if (pairs.length === 1) return pairs[0];
  if (name === '=' || name === '<>') return level.at({ k: name === '=' ? 'and' : 'or', args: pairs, t: BOOL }, at);
  if (!ORDER.includes(name)) {
    throw level.error('0A000', `could not determine interpretation of row comparison operator ${name}`, at, {
      hint: 'Row comparison operators must be associated with btree operator families.',
    });
  }
  const strict = name[0];
  let out: Expr = pairs[pairs.length - 1];
  for (let i = left.length - 2; i >= 0; i--) {
    const equal = compare(level, '=', left[i], right[i], at);
    const first = compare(level, strict, left[i], right[i], at);
    out = { k: 'or', args: [first, { k: 'and', args: [equal, out], t: BOOL }], t: BOOL };
  }
  return level.at(out, at);
}

/** IS [NOT] DISTINCT FROM of two rows. */
export function distinctRows(level: Level, left: Expr[], right: Expr[], negated: boolean, at: number): Expr {
  checkLengths(level, left, right, at);
  const args = left.map((l, i): Expr => {
    const call = operatorCall(level, '=', l, right[i], at);
    return { k: 'distinct', eq: call.fn, left: call.args[0], right: call.args[1], negated, t: BOOL };
  });
  if (args.length === 1) return args[0];
  return level.at({ k: negated ? 'and' : 'or', args, t: BOOL }, at);
}

function checkLengths(level: Level, left: Expr[], right: Expr[], at: number): void {
  if (left.length !== right.length) throw level.error('42601', 'unequal number of entries in row expressions', at);
  if (left.length === 0) throw level.error('0A000', 'cannot compare rows of zero length', at);
}

function compare(level: Level, name: string, left: Expr, right: Expr, at: number): Expr {
  if (left.k === 'row' && right.k === 'row') return compareRows(level, name, left.items, right.items, at);
  const call = operatorCall(level, name, left, right, at);
  if (call.t.oid !== OID.bool) {
    throw level.error('42804', `row comparison operator must yield type boolean, not type ${call.t.oid}`, at);
  }
  return call;
}
