/**
 * Expressions: one handler for each kind of syntax node.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { formatType } from '../types/type_name.ts';
import { bindArray } from './array_expr.ts';
import { BOOL, toBoolean } from './coercion.ts';
import { bindColumnRef } from './column_ref.ts';
import { bindCase, bindCoalesce, bindMinMax } from './conditional.ts';
import { bindConstant, bindParam, bindSqlValue, bindTypeCast } from './constant.ts';
import { bindFunctionCall } from './function_call.ts';
import { bindGroupingFunction } from './grouping_function.ts';
import { bindIndirection } from './indirection.ts';
import { bindJsonNode } from './json_expr.ts';
import { colRef, type Level } from './level.ts';
import { contentOf, kindOf, locationOf, names } from './node.ts';
import { bindOperatorExpr } from './operator_expr.ts';
import { bindRow } from './row.ts';
import { bindSubLink } from './subquery.ts';

const TRUTH: Record<string, { text: string; value: boolean; negated: boolean } | undefined> = {
  IS_TRUE: { text: 'IS TRUE', value: true, negated: false },
  IS_NOT_TRUE: { text: 'IS NOT TRUE', value: true, negated: true },
  IS_FALSE: { text: 'IS FALSE', value: false, negated: false },
  IS_NOT_FALSE: { text: 'IS NOT FALSE', value: false, negated: true },
};

/** Binds an expression node at a level. */
export function bindExpression(level: Level, node: PgNode): Expr {
  const kind = kindOf(node);
  const c = contentOf(node);
  switch (kind) {
    case 'ColumnRef':
      return bindColumnRef(level, c);
    case 'A_Const':
      return bindConstant(level, c);
    case 'ParamRef':
      return bindParam(level, c);
    case 'TypeCast':
      return bindTypeCast(level, c);
    case 'SQLValueFunction':
      return bindSqlValue(level, c);
    case 'A_Expr':
      return bindOperatorExpr(level, c);
    case 'BoolExpr':
      return bindBool(level, c);
    case 'NullTest':
      return bindNullTest(level, c);
    case 'BooleanTest':
      return bindBooleanTest(level, c);
    case 'CaseExpr':
      return bindCase(level, c);
    case 'CoalesceExpr':
      return bindCoalesce(level, c);
    case 'MinMaxExpr':
      return bindMinMax(level, c);
    case 'FuncCall':
      return bindFunctionCall(level, c);
    case 'SubLink':
      return bindSubLink(level, node, c);
    case 'A_ArrayExpr':
      return bindArray(level, c, null);
    case 'A_Indirection':
      return bindIndirection(level, c);
    case 'RowExpr':
      return bindRow(level, c);
    case 'GroupingFunc':
      return bindGroupingFunction(level, c);
    case 'CollateClause':
      return bindCollate(level, c);
    case 'SetToDefault':
      throw level.error('42601', 'DEFAULT is not allowed in this context', locationOf(c));
    case 'CurrentOfExpr':
      throw level.unsupported('WHERE CURRENT OF');
    case 'MergeSupportFunc':
      if (level.mergeAction !== null) return level.at(colRef(level.mergeAction), locationOf(c));
      throw level.error(
        '42601',
        'MERGE_ACTION() can only be used in the RETURNING list of a MERGE command',
        locationOf(c),
      );
    case 'XmlExpr':
    case 'XmlSerialize':
      throw level.unsupported('XML', locationOf(c));
    default:
      return bindJsonNode(level, kind, c);
  }
}

function bindBool(level: Level, c: PgNode): Expr {
  const name = (c.boolop as string).replace('_EXPR', '');
  const args = (c.args as PgNode[]).map((a) => toBoolean(level, level.bind(a), name));
  if (name === 'NOT') return level.at({ k: 'not', arg: args[0], t: BOOL }, locationOf(c));
  return level.at({ k: name === 'AND' ? 'and' : 'or', args, t: BOOL }, locationOf(c));
}

/** IS [NOT] NULL; of a row: every field is, or every field is not. */
function bindNullTest(level: Level, c: PgNode): Expr {
  const negated = c.nulltesttype === 'IS_NOT_NULL';
  const arg = level.bind(c.arg);
  if (arg.k === 'row' && arg.t.oid === OID.record && arg.items.length > 0) {
    const args = arg.items.map((i): Expr => ({ k: 'isnull', arg: i, negated, t: BOOL }));
    return level.at(args.length === 1 ? args[0] : { k: 'and', args, t: BOOL }, locationOf(c));
  }
  return level.at({ k: 'isnull', arg, negated, t: BOOL }, locationOf(c));
}

function bindBooleanTest(level: Level, c: PgNode): Expr {
  const kind = (c.booltesttype ?? 'IS_TRUE') as string;
  const truth = TRUTH[kind];
  if (!truth) {
    const negated = kind === 'IS_NOT_UNKNOWN';
    const arg = toBoolean(level, level.bind(c.arg), negated ? 'IS NOT UNKNOWN' : 'IS UNKNOWN');
    return level.at({ k: 'isnull', arg, negated, t: BOOL }, locationOf(c));
  }
  const arg = toBoolean(level, level.bind(c.arg), truth.text);
  return level.at({ k: 'istruth', arg, value: truth.value, negated: truth.negated, t: BOOL }, locationOf(c));
}

const COLLATABLE: ReadonlySet<number> = new Set([
  OID.text,
  OID.varchar,
  OID.bpchar,
  OID.name,
  OID.unknown,
  OID._text,
  OID._varchar,
  OID._bpchar,
  OID._name,
]);

/** COLLATE: text is ordered by code point, so the collations that mean that are accepted and change nothing. */
function bindCollate(level: Level, c: PgNode): Expr {
  const arg = level.bind(c.arg);
  const path = names(c.collname);
  if (!COLLATABLE.has(arg.t.oid)) {
    const type = formatType(arg.t.oid);
    throw level.error('42804', `collations are not supported by type ${type}`, locationOf(c));
  }
  const isKnown = ['C', 'POSIX', 'default', 'ucs_basic', 'pg_c_utf8'].includes(path[path.length - 1]);
  if (!isKnown || (path.length > 1 && path[0] !== 'pg_catalog'))
    throw level.error('42704', `collation "${path.join('.')}" for encoding "UTF8" does not exist`, locationOf(c));
  return arg;
}
