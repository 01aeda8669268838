/**
 * CASE, COALESCE, GREATEST and LEAST: arms of one common type.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PgNode } from '../parse/ast.ts';
import { lessThanOf } from '../types/catalog.ts';
import { formatType } from '../types/type_name.ts';
import { commonTypeOf, operatorCall, resolveUnknown, toBoolean, toCommon, UNKNOWN } from './coercion.ts';
import type { Level } from './level.ts';
import { locationOf } from './node.ts';
import { refuseSetFunctions } from './set_function.ts';

/** CASE; `CASE x WHEN v` becomes `WHEN x = v`. */
export function bindCase(level: Level, c: PgNode): Expr {
  const before = level.setFunctions.size;
  const subject = c.arg ? resolveUnknown(level, level.bind(c.arg)) : null;
  const whens = (c.args as PgNode[]).map((node) => {
    const w = node.CaseWhen;
    const test = level.bind(w.expr);
    const when = subject ? operatorCall(level, '=', subject, test, locationOf(w)) : test;
    return { when: toBoolean(level, when, 'CASE/WHEN'), then: level.bind(w.result) };
  });
  const other: Expr = c.defresult ? level.bind(c.defresult) : { k: 'const', v: null, t: UNKNOWN };
  const t = commonTypeOf(level, [other, ...whens.map((w) => w.then)], 'CASE');
  // The first that does not convert is the one that PostgreSQL names.
  const otherwise = c.defresult ? toCommon(level, other, t, 'CASE/ELSE') : null;
  const out: Expr = {
    k: 'case',
    whens: whens.map((w) => ({ when: w.when, then: toCommon(level, w.then, t, 'CASE/WHEN') })),
    else: otherwise,
    t,
  };
  refuseSetFunctions(level, before, 'CASE');
  return level.at(out, locationOf(c));
}

export function bindCoalesce(level: Level, c: PgNode): Expr {
  const before = level.setFunctions.size;
  const args = (c.args as PgNode[]).map((a) => level.bind(a));
  const t = commonTypeOf(level, args, 'COALESCE');
  const out: Expr = { k: 'coalesce', args: args.map((a) => toCommon(level, a, t, 'COALESCE')), t };
  refuseSetFunctions(level, before, 'COALESCE');
  return level.at(out, locationOf(c));
}

export function bindMinMax(level: Level, c: PgNode): Expr {
  const greatest = (c.op ?? 'IS_GREATEST') === 'IS_GREATEST';
  const what = greatest ? 'GREATEST' : 'LEAST';
  const args = (c.args as PgNode[]).map((a) => level.bind(a));
  const t = commonTypeOf(level, args, what);
  const lt = lessThanOf(t.oid);
  if (!lt) {
    throw level.error('42883', `could not identify a comparison function for type ${formatType(t.oid)}`, locationOf(c));
  }
  const out: Expr = { k: 'extreme', greatest, lt, args: args.map((a) => toCommon(level, a, t, what)), t };
  return level.at(out, locationOf(c));
}
