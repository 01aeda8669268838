/**
 * The name of a select-list column without AS, by PostgreSQL's rules (FigureColname): a column's or function's own name, the
 * type of a cast, the word of a construct, else `?column?`.
 */
import type { PgNode } from '../parse/ast.ts';
import type { Level } from './level.ts';
import { contentOf, kindOf, names, stringOf } from './node.ts';

/** A found name; weak ones give way to a better one further in or out (a cast's type name, `case`). */
interface Found {
  name: string;
  weak: boolean;
}

const VALUE_NAME: Record<string, string> = {
  SVFOP_CURRENT_DATE: 'current_date',
  SVFOP_CURRENT_TIME: 'current_time',
  SVFOP_CURRENT_TIME_N: 'current_time',
  SVFOP_CURRENT_TIMESTAMP: 'current_timestamp',
  SVFOP_CURRENT_TIMESTAMP_N: 'current_timestamp',
  SVFOP_LOCALTIME: 'localtime',
  SVFOP_LOCALTIME_N: 'localtime',
  SVFOP_LOCALTIMESTAMP: 'localtimestamp',
  SVFOP_LOCALTIMESTAMP_N: 'localtimestamp',
  SVFOP_CURRENT_ROLE: 'current_role',
  SVFOP_CURRENT_USER: 'current_user',
  SVFOP_USER: 'user',
  SVFOP_SESSION_USER: 'session_user',
  SVFOP_CURRENT_CATALOG: 'current_catalog',
  SVFOP_CURRENT_SCHEMA: 'current_schema',
};

const FIXED: Record<string, string> = {
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  CoalesceExpr: 'coalesce',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
};

const JSON_FUNCTION: Record<string, string> = {
  JSON_EXISTS_OP: 'json_exists',
  JSON_QUERY_OP: 'json_query',
  JSON_VALUE_OP: 'json_value',
};

/** The column name of a select-list expression. Call after the expression is bound (subqueries have their names then). */
export function columnName(level: Level, node: PgNode): string {
  return find(level, node)?.name ?? '?column?';
}

/** The name of an index's column that is an expression; it has no subqueries. */
export function indexColumnName(node: PgNode): string {
  return find(null, node)?.name ?? 'expr';
}

function strong(name: string): Found {
  return { name, weak: false };
}

function find(level: Level | null, node: PgNode): Found | null {
  const kind = kindOf(node);
  const c = contentOf(node);
  if (FIXED[kind]) return strong(FIXED[kind]);
  switch (kind) {
    case 'ColumnRef': {
      const parts = (c.fields as PgNode[]).filter((f) => !f.A_Star).map(stringOf);
      return parts.length > 0 ? strong(parts[parts.length - 1]) : null;
    }
    case 'A_Indirection': {
      const fields = (c.indirection as PgNode[]).filter((f) => kindOf(f) === 'String').map(stringOf);
      return fields.length > 0 ? strong(fields[fields.length - 1]) : find(level, c.arg);
    }
    case 'FuncCall':
      return strong(names(c.funcname).at(-1)!);
    case 'A_Expr':
      return c.kind === 'AEXPR_NULLIF' ? strong('nullif') : null;
    case 'TypeCast': {
      const inner = find(level, c.arg);
      return inner && !inner.weak ? inner : { name: names(c.typeName.names).at(-1)!, weak: true };
    }
    case 'CollateClause':
      return find(level, c.arg);
    case 'SubLink': {
      if (c.subLinkType === 'EXISTS_SUBLINK') return strong('exists');
      if (c.subLinkType === 'ARRAY_SUBLINK') return strong('array');
      const first = c.subLinkType === 'EXPR_SUBLINK' ? level?.shared.subqueryNames.get(c) : undefined;
      return first === undefined ? null : strong(first);
    }
    case 'CaseExpr': {
      const inner = c.defresult ? find(level, c.defresult) : null;
      return inner && !inner.weak ? inner : { name: 'case', weak: true };
    }
    case 'MinMaxExpr':
      return strong((c.op ?? 'IS_GREATEST') === 'IS_GREATEST' ? 'greatest' : 'least');
    case 'SQLValueFunction':
      return strong(VALUE_NAME[c.op]);
    case 'JsonFuncExpr':
      return strong(JSON_FUNCTION[c.op] ?? '?column?');
    default:
      return null;
  }
}
