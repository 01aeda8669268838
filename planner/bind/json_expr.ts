/**
 * SQL/JSON constructors, brought to the functions that do the same: JSON_OBJECT, JSON_ARRAY, JSON_OBJECTAGG, JSON_ARRAYAGG,
 * JSON_SCALAR. The query functions (JSON_VALUE, ...) and IS JSON: json_query.ts.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { castWhole } from './cast_expr.ts';
import { resolveUnknown, TEXT } from './coercion.ts';
import { bindIsJson, bindJsonParse, bindJsonQuery, bindJsonSerialize, valueNode } from './json_query.ts';
import type { Level } from './level.ts';
import { locationOf } from './node.ts';

/** Binds a node of the SQL/JSON family; any other kind is unsupported. */
export function bindJsonNode(level: Level, kind: string, c: PgNode): Expr {
  switch (kind) {
    case 'JsonObjectConstructor': {
      const pairs = (c.exprs ?? []) as PgNode[];
      const args = pairs.flatMap((p) => [p.JsonKeyValue.key, valueNode(p.JsonKeyValue.value)]);
      const clauses = `${c.absent_on_null ? 'absent ' : ''}${c.unique ? 'unique' : ''}`;
      if (clauses === '' || args.length === 0) return construct(level, c, 'build_object', args);
      const said: Expr = { k: 'const', v: clauses, t: TEXT };
      return constructOf(level, c, 'object_of(any)', [said, ...bindAll(level, args)]);
    }
    case 'JsonArrayQueryConstructor':
      return arrayOfQuery(level, c);
    case 'JsonArrayConstructor': {
      const args = ((c.exprs ?? []) as PgNode[]).map((e) => valueNode(e.JsonValueExpr));
      if (!c.absent_on_null || args.length === 0) return construct(level, c, 'build_array', args);
      return constructOf(level, c, 'array_of(any)', bindAll(level, args));
    }
    case 'JsonObjectAgg': {
      const { constructor: inner, absent_on_null: absent, unique } = c;
      const name = `object_agg${unique ? '_unique' : ''}${absent ? '_strict' : ''}`;
      const args = [c.arg.key, valueNode(c.arg.value)];
      return construct(level, inner, name, args, inner);
    }
    case 'JsonArrayAgg': {
      const inner = c.constructor;
      return construct(level, inner, c.absent_on_null ? 'agg_strict' : 'agg', [valueNode(c.arg)], inner);
    }
    case 'JsonScalarExpr':
      return construct(level, { ...c, output: undefined }, 'to', [c.expr]);
    case 'JsonFuncExpr':
      return bindJsonQuery(level, c);
    case 'JsonIsPredicate':
      return bindIsJson(level, c);
    case 'JsonParseExpr':
      return bindJsonParse(level, c);
    case 'JsonSerializeExpr':
      return bindJsonSerialize(level, c);
    default:
      throw level.unsupported(`the syntax node ${kind}`, c?.location);
  }
}

/** JSON_ARRAY(query): the aggregate over the query's one column. */
function arrayOfQuery(level: Level, c: PgNode): Expr {
  const location = locationOf(c);
  const column = { ColumnRef: { fields: [{ String: { sval: 'q' } }, { String: { sval: 'a' } }], location } };
  const arg = { raw_expr: column, format: c.format };
  const returning = { output: c.output, location };
  const aggregate = { JsonArrayAgg: { constructor: returning, arg, absent_on_null: c.absent_on_null } };
  const alias = { aliasname: 'q', colnames: [{ String: { sval: 'a' } }] };
  const select = {
    targetList: [{ ResTarget: { val: aggregate, location } }],
    fromClause: [{ RangeSubselect: { subquery: c.query, alias, one_column: { location } } }],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
  return level.bind({ SubLink: { subLinkType: 'EXPR_SUBLINK', subselect: { SelectStmt: select }, location } });
}

function bindAll(level: Level, nodes: PgNode[]): Expr[] {
  return nodes.map((n) => resolveUnknown(level, level.bind(n)));
}

function returned(level: Level, c: PgNode): ColType {
  return c.output?.typeName ? level.typeNamed(c.output.typeName, undefined) : colType(OID.json);
}

/** A call of a constructor with clauses, which has no name in SQL. */
function constructOf(level: Level, c: PgNode, name: string, args: Expr[]): Expr {
  const at = locationOf(c);
  const type = returned(level, c);
  const binary = type.oid === OID.jsonb;
  const fn = `${binary ? 'jsonb' : 'json'}_${name}`;
  const out: Expr = { k: 'call', fn, args, t: colType(binary ? OID.jsonb : OID.json), strict: false };
  return binary || type.oid === OID.json ? level.at(out, at) : castWhole(level, out, type, at);
}

/** A call of json_NAME or jsonb_NAME by RETURNING; other RETURNING types are cast to. `agg`: ORDER BY, FILTER, OVER. */
function construct(level: Level, c: PgNode, name: string, args: PgNode[], agg: PgNode = {}): Expr {
  const at = locationOf(c);
  const type = returned(level, c);
  const prefix = type.oid === OID.jsonb ? 'jsonb' : 'json';
  const function_ = name === 'to' ? `to_${prefix}` : `${prefix}_${name}`;
  const call = {
    funcname: [{ String: { sval: 'pg_catalog' } }, { String: { sval: function_ } }],
    args,
    agg_order: agg.agg_order,
    agg_filter: agg.agg_filter,
    over: agg.over,
    location: at,
  };
  const out = level.bind({ FuncCall: call });
  return type.oid === OID.json || type.oid === OID.jsonb ? out : castWhole(level, out, type, at);
}
