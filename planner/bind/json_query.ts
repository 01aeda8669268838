/**
 * JSON_EXISTS, JSON_VALUE, JSON_QUERY and IS JSON, JSON() and JSON_SERIALIZE: each becomes a call of a function of
 * operators/expr/functions/sql_json.ts, with what the syntax says as a constant.
 */

import { hasIo } from '../../operators/expr/io/index.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { Behaviour, QueryOptions } from '../../operators/expr/json/jsonpath/query_functions.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { typeByOid } from '../types/catalog.ts';
import { formatType } from '../types/type_name.ts';
import { cast, castWhole } from './cast_expr.ts';
import { BOOL, refuseDomain, refuseEnumInView, resolveUnknown, TEXT, tryCoerce, typeOf } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf } from './node.ts';

const JSON_TYPE = colType(OID.json);
const JSONB = colType(OID.jsonb);
const JSONPATH = colType(OID.jsonpath);

const STRINGS: ReadonlySet<number> = new Set([OID.text, OID.varchar, OID.bpchar, OID.name]);

type Op = QueryOptions['op'];

const NAMES: Record<Op, string> = { exists: 'JSON_EXISTS', value: 'JSON_VALUE', query: 'JSON_QUERY' };
const OPS: Record<string, Op> = { JSON_EXISTS_OP: 'exists', JSON_VALUE_OP: 'value', JSON_QUERY_OP: 'query' };
const BEHAVIOURS: Record<string, Behaviour> = {
  JSON_BEHAVIOR_ERROR: 'error',
  JSON_BEHAVIOR_NULL: 'null',
  JSON_BEHAVIOR_UNKNOWN: 'null',
  JSON_BEHAVIOR_DEFAULT: 'default',
  JSON_BEHAVIOR_EMPTY: 'emptyArray',
  JSON_BEHAVIOR_EMPTY_ARRAY: 'emptyArray',
  JSON_BEHAVIOR_EMPTY_OBJECT: 'emptyObject',
  JSON_BEHAVIOR_TRUE: 'true',
  JSON_BEHAVIOR_FALSE: 'false',
};
/** What each function takes, and how an error says it. */
const ALLOWED: Record<Op, { nodes: string[]; text: string; columns: string }> = {
  exists: {
    nodes: ['ERROR', 'TRUE', 'FALSE', 'UNKNOWN'],
    text: 'ERROR, TRUE, FALSE, or UNKNOWN',
    columns: 'EXISTS',
  },
  value: { nodes: ['ERROR', 'NULL', 'DEFAULT'], text: 'ERROR, NULL, or DEFAULT expression', columns: 'scalar' },
  query: {
    nodes: ['ERROR', 'NULL', 'EMPTY', 'EMPTY_ARRAY', 'EMPTY_OBJECT', 'DEFAULT'],
    text: 'ERROR, NULL, EMPTY ARRAY, EMPTY OBJECT, or DEFAULT expression',
    columns: 'formatted',
  },
};

const constant = (v: string | boolean, t: ColType): Expr => ({ k: 'const', v, t });
const nothing = (t: ColType): Expr => ({ k: 'const', v: null, t });

export function bindJsonQuery(level: Level, c: PgNode): Expr {
  const op = OPS[c.op];
  const at = locationOf(c);
  const document = asJsonb(level, level.bind(c.context_item.raw_expr));
  const path = asPath(level, level.bind(c.pathspec));
  const type = resultType(level, op, c.output, at);
  const { names, values } = bindPassing(level, c);
  const empty = bindBehaviour(level, op, 'ON EMPTY', c.on_empty, type);
  const error = bindBehaviour(level, op, 'ON ERROR', c.on_error, type);
  const wrapper = wrapperOf(c);
  const omitQuotes = c.quotes === 'JS_QUOTES_OMIT';
  refuseQuotes(level, wrapper, omitQuotes, at);
  const options: QueryOptions = {
    op,
    wrapper,
    omitQuotes,
    onEmpty: empty.is ?? 'null',
    onError: error.is ?? (op === 'exists' ? 'false' : 'null'),
  };
  const args = [
    document,
    path,
    constant(JSON.stringify({ ...options, names }), TEXT),
    empty.value,
    error.value,
    ...values,
  ];
  return level.at({ k: 'call', fn: 'sql_json(any)', args, t: type, strict: false }, at);
}

/** Names and values of PASSING. */
export function bindPassing(level: Level, c: PgNode): { names: string[]; values: Expr[] } {
  const passing = ((c.passing ?? []) as PgNode[]).map((p) => p.JsonArgument);
  return {
    names: passing.map((p) => p.name as string),
    values: passing.map((p) => resolveUnknown(level, level.bind(valueNode(p.val)))),
  };
}

/** A value; FORMAT JSON: its text is JSON. */
export function valueNode(v: PgNode): PgNode {
  const { raw_expr: value, format } = v.JsonValueExpr ?? v;
  if (format?.format_type !== 'JS_FORMAT_JSON') return value;
  const typeName = { names: [{ String: { sval: 'pg_catalog' } }, { String: { sval: 'json' } }], typemod: -1 };
  return { TypeCast: { arg: value, typeName, location: format.location } };
}

export function wrapperOf(c: PgNode): QueryOptions['wrapper'] {
  return c.wrapper === 'JSW_UNCONDITIONAL' ? 'always' : c.wrapper === 'JSW_CONDITIONAL' ? 'conditional' : 'none';
}

export function refuseQuotes(level: Level, wrapper: QueryOptions['wrapper'], omitQuotes: boolean, at: number): void {
  if (wrapper === 'none' || !omitQuotes) return;
  throw level.error('42601', 'SQL/JSON QUOTES behavior must not be specified when WITH WRAPPER is used', at);
}

/** What has no input here cannot be read from JSON. */
export function refuseUnreadable(level: Level, type: ColType, at: number): void {
  if (!hasIo(type.oid)) throw level.unsupported(`a value of type ${formatType(type.oid)}`, at);
  refuseDomain(level, type, at);
  level.locate(at, () => refuseEnumInView(level, type));
}

/** A document: jsonb, or text that is read as such. */
export function asJsonb(level: Level, e: Expr): Expr {
  return cast(level, resolveUnknown(level, e), JSONB, exprLocation(level, e));
}

export function asPath(level: Level, e: Expr): Expr {
  const from = typeOf(level, e);
  if (from.oid === OID.jsonpath) return e;
  const out = from.oid === OID.unknown || STRINGS.has(from.oid) ? tryCoerce(level, e, JSONPATH, 'explicit') : null;
  if (out) return out;
  const message = `JSON path expression must be of type jsonpath, not of type ${formatType(from.oid)}`;
  throw level.error('42804', message, exprLocation(level, e));
}

function resultType(level: Level, op: Op, output: PgNode | undefined, at: number): ColType {
  if (op === 'exists') return BOOL;
  if (!output?.typeName) return op === 'value' ? TEXT : JSONB;
  if (op === 'value' && output.returning?.format?.format_type === 'JS_FORMAT_JSON') {
    throw level.error('42601', 'cannot specify FORMAT JSON in RETURNING clause of JSON_VALUE()', at);
  }
  const type = level.typeNamed(output.typeName, at);
  if (typeByOid(type.oid)?.kind === 'p') {
    throw level.error('0A000', 'returning pseudo-types is not supported in SQL/JSON functions', at);
  }
  refuseUnreadable(level, type, at);
  return type;
}

/** What is to be done, null where it is not said, and the value of a DEFAULT. */
export interface Behaved {
  is: Behaviour | null;
  value: Expr;
}

/** What ON EMPTY or ON ERROR says, of a function or of a column of JSON_TABLE. A DEFAULT is computed with the arguments, wanted or not: it depends on no row, but one that raises an error does so always. */
export function bindBehaviour(
  level: Level,
  op: Op,
  clause: string,
  node: PgNode | undefined,
  type: ColType,
  column?: string,
): Behaved {
  if (!node) return { is: null, value: nothing(type) };
  const at = locationOf(node);
  const { nodes, text, columns } = ALLOWED[op];
  if (!nodes.includes((node.btype as string).replace('JSON_BEHAVIOR_', ''))) {
    const of = column === undefined ? '' : ` for column "${column}"`;
    throw level.error('42601', `invalid ${clause} behavior${of}`, at, {
      detail: `Only ${text} is allowed in ${clause} for ${column === undefined ? `${NAMES[op]}()` : `${columns} columns`}.`,
    });
  }
  const is = BEHAVIOURS[node.btype];
  if (is !== 'default') return { is, value: nothing(type) };
  const bound = level.bind(node.expr);
  visitExpr(bound, (x) => {
    if (x.k !== 'col' && x.k !== 'param') return true;
    const message = 'can only specify a constant, non-aggregate function, or operator expression for DEFAULT';
    throw level.error('42804', message, exprLocation(level, bound));
  });
  // As PostgreSQL, which would cut off what is too long otherwise.
  const cut = STRINGS.has(type.oid) || type.oid === OID.bit || type.oid === OID.varbit;
  const value = tryCoerce(level, bound, type, cut ? 'assignment' : 'explicit');
  if (value) return { is, value };
  const from = formatType(typeOf(level, bound).oid);
  throw level.error('42846', `cannot cast behavior expression of type ${from} to ${formatType(type.oid)}`, at);
}

const KINDS: Record<string, string> = {
  JS_TYPE_ANY: 'any',
  JS_TYPE_OBJECT: 'object',
  JS_TYPE_ARRAY: 'array',
  JS_TYPE_SCALAR: 'scalar',
};

/** `x IS JSON [OBJECT | ARRAY | SCALAR] [WITH UNIQUE KEYS]` */
export function bindIsJson(level: Level, c: PgNode): Expr {
  const value = resolveUnknown(level, level.bind(c.expr));
  const { oid } = typeOf(level, value);
  const at = locationOf(c);
  if (oid !== OID.json && oid !== OID.jsonb && oid !== OID.bytea && !STRINGS.has(oid)) {
    throw level.error('42804', `cannot use type ${formatType(oid)} in IS JSON predicate`, at);
  }
  const kind = KINDS[c.item_type ?? 'JS_TYPE_ANY'] ?? 'any';
  const args = [value, constant(kind, TEXT), constant(c.unique_keys === true, BOOL)];
  return level.at({ k: 'call', fn: 'is_json(any)', args, t: BOOL, strict: true }, at);
}

/** JSON(text [WITH UNIQUE KEYS]) */
export function bindJsonParse(level: Level, c: PgNode): Expr {
  const at = locationOf(c);
  const parsed = cast(level, resolveUnknown(level, level.bind(c.expr.raw_expr)), JSON_TYPE, at);
  if (!c.unique_keys) return parsed;
  return level.at({ k: 'call', fn: 'json_unique_keys(json)', args: [parsed], t: JSON_TYPE, strict: true }, at);
}

/** JSON_SERIALIZE(json [RETURNING type]): its text, checked. */
export function bindJsonSerialize(level: Level, c: PgNode): Expr {
  const at = locationOf(c);
  const value = resolveUnknown(level, level.bind(c.expr.raw_expr));
  const { oid } = typeOf(level, value);
  if (oid !== OID.json && oid !== OID.jsonb && !STRINGS.has(oid)) {
    throw level.error('42804', 'cannot use non-string types with implicit FORMAT JSON clause', at);
  }
  const type = c.output?.typeName ? level.typeNamed(c.output.typeName, at) : TEXT;
  if (type.oid === OID.bytea) throw level.unsupported('JSON_SERIALIZE RETURNING bytea', at);
  if (!STRINGS.has(type.oid)) {
    throw level.error('42804', `cannot use type ${formatType(type.oid)} in RETURNING clause of JSON_SERIALIZE()`, at, {
      hint: 'Try returning a string type or bytea.',
    });
  }
  const json = STRINGS.has(oid) ? cast(level, value, JSON_TYPE, at) : value;
  return castWhole(level, json, type, at);
}
