/**
 * Functions in FROM: set-returning ones, plain ones as one row, ROWS FROM (...), WITH ORDINALITY, column definition lists,
 * unnest of several arrays, time windows (time_window.ts) and function relations of the catalog.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { rowDescription } from '../../operators/expr/json/row_description.ts';
import { type ColType, OID } from '../../operators/types.ts';
import { oneRow } from '../logical/columns.ts';
import type { Col, Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { procsByName } from '../types/catalog.ts';
import type { BoundCall } from './bound_call.ts';
import { INT8, refuseDomain, refuseEnumInView } from './coercion.ts';
import { columnName } from './column_name.ts';
import { externalRows } from './external_call.ts';
import { columnsItem, type FromItem } from './from_item.ts';
import { relationItem } from './from_relation.ts';
import { resolveCall } from './function_call.ts';
import { colRef, type Level, type SetFunction } from './level.ts';
import { locationOf, names } from './node.ts';
import { lockstep } from './set_function.ts';
import { rowShape } from './shape.ts';
import { sqlFunctionItem } from './sql_function.ts';
import { attachSubqueries } from './subquery.ts';
import { bindTimeWindow, isTimeWindow } from './time_window.ts';

/** One function of the item: rows of a set-returning one, or the single row of expressions. */
interface Part {
  name: string;
  columns: { name: string; type: ColType }[];
  rows: { fn: string; args: Expr[] } | null;
  row: Expr[];
  /** A single plain value: its column takes the alias's name. */
  scalar: boolean;
  location: number;
}

/** Binds a RangeFunction. */
export function bindRangeFunction(level: Level, c: PgNode): FromItem {
  const entries = (c.functions as PgNode[]).map((f) => f.List.items as PgNode[]);
  const first = entries[0][0].FuncCall;
  const single = entries.length === 1 && !c.is_rowsfrom && first !== undefined;
  if (single && isTimeWindow(first)) return bindTimeWindow(level, first, c.alias);
  if (single) {
    const relation = functionRelation(level, first);
    if (relation) return relationItem(level, relation, c.alias ?? { aliasname: names(first.funcname).at(-1) });
    const call = madeSet(level, first);
    if (call) {
      if (c.coldeflist) throw notRecord(level, c.coldeflist);
      if (call.f.proc.made?.script) return assemble(level, [externalRows(level, call)], c.alias, c.ordinality === true);
      return sqlFunctionItem(level, call, c.alias, c.ordinality === true);
    }
  }
  const saved = level.lateralActive;
  level.lateralActive = true;
  const parts = level.inClause('from_function', () =>
    entries.flatMap(([node, list]) => {
      const definitions = list?.List?.items ?? (entries.length === 1 ? c.coldeflist : undefined);
      return splitUnnest(node, c).map((n) => bindPart(level, n, definitions));
    }),
  );
  level.lateralActive = saved;
  return assemble(level, parts, c.alias, c.ordinality === true);
}

/** A relation such as tidemark.errors('v') that the catalog answers for. */
function functionRelation(level: Level, call: PgNode) {
  const path = names(call.funcname);
  const name = path[path.length - 1];
  const schema = path.length > 1 ? path[path.length - 2] : undefined;
  if (procsByName(name).length > 0 && (schema === undefined || schema === 'pg_catalog')) return null;
  const { catalog } = level.shared.env;
  const nodes: PgNode[] = call.args ?? [];
  const values = nodes.map((n) =>
    n.A_Const?.sval ? (n.A_Const.sval.sval ?? '') : n.A_Const?.isnull ? null : undefined,
  );
  if (values.includes(undefined)) return null;
  return catalog.tableFunction?.(schema, name, values as (string | null)[]) ?? null;
}

/** The call when it is of a user's function that returns a set; null otherwise. */
function madeSet(level: Level, call: PgNode): BoundCall | null {
  const path = names(call.funcname);
  const { catalog } = level.shared.env;
  const candidates = catalog.functionsNamed?.(path.at(-2), path[path.length - 1]) ?? [];
  if (call.over || !candidates.some((p) => p.retset)) return null;
  const saved = level.lateralActive;
  level.lateralActive = true;
  const found = level.inClause('from_function', () => resolveCall(level, call));
  level.lateralActive = saved;
  return found.f.proc.made && found.f.retset ? found : null;
}

/** unnest(a, b) is ROWS FROM (unnest(a), unnest(b)). */
function splitUnnest(node: PgNode, range: PgNode): PgNode[] {
  const call = node.FuncCall;
  if (!call || names(call.funcname).at(-1) !== 'unnest' || (call.args?.length ?? 0) < 2 || range.coldeflist)
    return [node];
  return (call.args as PgNode[]).map((a) => ({ FuncCall: { ...call, args: [a] } }));
}

function bindPart(level: Level, node: PgNode, definitions: PgNode[] | undefined): Part {
  const call = node.FuncCall && !node.FuncCall.over ? setCall(level, node.FuncCall) : null;
  if (!call) {
    const expr = level.bind(node);
    const shape = rowShape(level, expr);
    const name = columnName(level, node);
    const location = node.FuncCall ? locationOf(node.FuncCall) : 0;
    if (definitions) throw notRecord(level, definitions);
    return {
      name,
      columns: shape ? shape.names.map((n, i) => ({ name: n, type: shape.types[i] })) : [{ name, type: expr.t }],
      rows: null,
      row: shape ? fields(expr, shape.types) : [expr],
      scalar: !shape,
      location,
    };
  }
  const { f, name, args, fn, t, location } = call;
  const rows = { fn, args };
  if (f.outColumns) {
    if (definitions) {
      throw level.error(
        '42601',
        'a column definition list is redundant for a function with OUT parameters',
        locationOf(definitions[0].ColumnDef),
      );
    }
    return { name, columns: f.outColumns, rows, row: [], scalar: f.outColumns.length === 1, location };
  }
  if (t.oid === OID.record) {
    if (!definitions) {
      throw level.error('42601', 'a column definition list is required for functions returning "record"', location);
    }
    const columns = definitions.map((d) => definition(level, d));
    const described = { fn, args: [...(f.retset ? args : args.map(emptyForNull)), columnsArgument(columns)] };
    return { name, columns, rows: described, row: [], scalar: false, location };
  }
  if (definitions) throw notRecord(level, definitions);
  return { name, columns: [{ name, type: t }], rows, row: [], scalar: true, location };
}

/** What tells a function that returns an undeclared record its columns: one more argument, a record constant. */
function columnsArgument(columns: { name: string; type: ColType }[]): Expr {
  return { k: 'const', v: rowDescription(columns), t: { oid: OID.record, typmod: -1 } };
}

/** json_to_record(NULL) is one row of NULLs, as of an empty object; a set-returning function of NULL is no row. */
function emptyForNull(arg: Expr): Expr {
  if (arg.t.oid !== OID.json && arg.t.oid !== OID.jsonb) return arg;
  return { k: 'coalesce', args: [arg, { k: 'const', v: '{}', t: arg.t }], t: arg.t };
}

function notRecord(level: Level, definitions: PgNode[]): Error {
  const message = 'a column definition list is only allowed for functions returning "record"';
  return level.error('42601', message, locationOf(definitions[0].ColumnDef));
}

/** The call when it returns a set (or an undeclared record); null when it is a plain expression. */
function setCall(level: Level, c: PgNode) {
  const path = names(c.funcname);
  const candidates = procsByName(path[path.length - 1]);
  if (!candidates.some((p) => p.retset || p.result === OID.record)) return null;
  const call = resolveCall(level, c);
  if (call.f.kind !== 'f') return null;
  return call.f.retset || (call.t.oid === OID.record && !call.f.outColumns) ? call : null;
}

function definition(level: Level, node: PgNode): { name: string; type: ColType } {
  const d = node.ColumnDef;
  const type = level.typeNamed(d.typeName, locationOf(d));
  refuseDomain(level, type, locationOf(d));
  level.locate(locationOf(d), () => refuseEnumInView(level, type));
  return { name: d.colname, type };
}

function fields(e: Expr, types: ColType[]): Expr[] {
  return types.map((t, index) => (e.k === 'row' ? e.items[index] : { k: 'field', arg: e, index, t }));
}

/** A FROM item of the rows of one function that is not called by name. */
export function rowsItem(
  level: Level,
  part: Pick<Part, 'name' | 'columns' | 'rows' | 'location'>,
  alias: PgNode | undefined,
): FromItem {
  return assemble(level, [{ ...part, row: [], scalar: false }], alias, false);
}

function assemble(level: Level, parts: Part[], alias: PgNode | undefined, withOrdinality: boolean): FromItem {
  const cols = parts.map((p) => p.columns.map((c) => level.shared.newCol(c.name, c.type)));
  const labelled = parts.flatMap((p, i) =>
    p.columns.map((c, n) => ({
      name: p.scalar && parts.length === 1 && alias?.aliasname && c.name === p.name ? alias.aliasname : c.name,
      col: cols[i][n],
    })),
  );
  const ordinality = withOrdinality ? level.shared.newCol('ordinality', INT8) : null;
  const all = ordinality ? [...labelled, { name: 'ordinality', col: ordinality }] : labelled;
  const extend =
    parts.length === 1
      ? (input: Logical, left: boolean) => extendOne(level, input, parts[0], cols[0], ordinality, left)
      : undefined;
  const plan = extend ? extend(oneRow(), false) : sideBySide(level, parts, cols, ordinality);
  const item = columnsItem(level, plan, alias, parts[0].name, all);
  const canExtend = parts.length === 1 && (parts[0].rows !== null || !ordinality);
  if (canExtend) item.extend = extend;
  item.self.scalar = parts.length === 1 && parts[0].scalar && !ordinality;
  return item;
}

/** The function's columns on top of `input`. */
function extendOne(
  level: Level,
  input: Logical,
  part: Part,
  cols: Col[],
  ordinality: Col | null,
  left: boolean,
): Logical {
  if (part.rows) {
    const over = attachSubqueries(level, input, part.rows.args, new Set());
    return { op: 'tablefunc', input: over, fn: part.rows.fn, args: part.rows.args, cols, ordinality, left };
  }
  const over = attachSubqueries(level, oneRow(), part.row, new Set());
  const items = cols.map((col, i) => ({ col, expr: part.row[i] }));
  if (ordinality) items.push({ col: ordinality, expr: { k: 'const', v: 1n, t: INT8 } });
  const row: Logical = { op: 'project', input: over, items };
  if (input.op === 'values' && input.cols.length === 0) return row;
  return { op: 'apply', kind: left ? 'left' : 'cross', left: input, right: row, on: null };
}

/** ROWS FROM: row n of every function side by side. */
function sideBySide(level: Level, parts: Part[], cols: Col[][], ordinality: Col | null): Logical {
  const functions = parts.map((p, i): SetFunction => {
    if (!p.rows) throw level.unsupported('a function that returns no set in ROWS FROM', p.location);
    return { fn: p.rows.fn, args: p.rows.args, cols: cols[i], location: p.location };
  });
  const joined = lockstep(level, functions);
  const items: { col: Col; expr: Expr }[] = cols.flat().map((col) => ({ col, expr: colRef(col) }));
  if (ordinality) items.push({ col: ordinality, expr: joined.ordinality });
  return { op: 'project', input: joined.plan, items };
}
