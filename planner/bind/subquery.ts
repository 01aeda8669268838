/**
 * Subqueries in expressions: EXISTS, scalar, IN / op ANY / op ALL, ARRAY(...), row comparison. Each becomes a column that an
 * `apply` node computes; attachSubqueries puts the node under the expression that uses it.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, OID } from '../../operators/types.ts';
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { arrayTypeOf } from '../types/catalog.ts';
import { resolveFunction } from '../types/function.ts';
import { formatType } from '../types/type_name.ts';
import { clauseName } from './clause.ts';
import { BOOL, operand, operatorFor, RECORD } from './coercion.ts';
import { bindExprList } from './expr_list.ts';
import { type BoundSelect, colRef, type Level, type Shape, type Subquery } from './level.ts';
import { locationOf, rawLocation, syntaxKey } from './node.ts';
import { operatorName } from './operator_expr.ts';
import { compareRows } from './row_compare.ts';
import { visibleOnly } from './visible.ts';

/** Binds a SubLink; `node` is the whole node, `c` its content. */
export function bindSubLink(level: Level, node: PgNode, c: PgNode): Expr {
  const at = locationOf(c);
  if (['default', 'execute', 'check', 'option', 'transform'].includes(level.clause)) {
    const place = clauseName(level.clause).replace(/s$/, '');
    throw level.error('0A000', `cannot use subquery in ${place}`, at);
  }
  const kind = c.subLinkType as string;
  const query = level.shared.binders.select(level, c.subselect, {
    resolveUnknown: true,
    keepOrder: kind === 'ARRAY_SUBLINK',
  });
  if (query.outputs.length > 0) level.shared.subqueryNames.set(c, query.outputs[0].name);
  const key = syntaxKey(node);
  switch (kind) {
    case 'EXISTS_SUBLINK':
      return register(level, { kind: 'exists', right: query.plan, key, location: at }, BOOL);
    case 'EXPR_SUBLINK': {
      oneColumn(level, query, at);
      const [out] = query.outputs;
      return register(level, { kind: 'scalar', right: visibleOnly(query), key, location: at }, out.col.type, out.shape);
    }
    case 'ARRAY_SUBLINK':
      oneColumn(level, query, at);
      return bindArraySubquery(level, query, key, at);
    case 'ROWCOMPARE_SUBLINK': {
      const left = rowOf(level, c.testexpr);
      checkWidth(level, left.length, query.outputs.length, at);
      const row = rowSubquery(level, query, key, at);
      return compareRows(level, operatorName(c.operName).name, left, row, at);
    }
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
      return bindQuantified(level, c, query, key, at);
    default:
      throw level.unsupported(`a subquery of kind ${kind}`, at);
  }
}

function oneColumn(level: Level, query: BoundSelect, at: number): void {
  if (query.outputs.length === 0) throw level.error('42601', 'subquery must return a column', at);
  if (query.outputs.length > 1) throw level.error('42601', 'subquery must return only one column', at);
}

function checkWidth(level: Level, left: number, right: number, at: number): void {
  if (left < right) throw level.error('42601', 'subquery has too many columns', at);
  if (left > right) throw level.error('42601', 'subquery has too few columns', at);
}

function rowOf(level: Level, node: PgNode): Expr[] {
  if (node.RowExpr) return bindExprList(level, node.RowExpr.args ?? []);
  return [level.bind(node)];
}

type Pending = Pick<Subquery, 'kind' | 'right' | 'key' | 'location'> & Partial<Subquery>;

/** Registers a subquery of the level; the result is a reference to its column. */
export function register(level: Level, pending: Pending, type: ColType, shape?: Shape): Expr {
  const out = level.newCol(pending.kind, type, { kind: 'subquery', label: 'subquery', shape });
  level.subqueries.set(out.id, { test: [], fn: [], all: false, grouped: false, ...pending, out });
  return level.at(colRef(out), pending.location);
}

/** The subquery's single row as expressions, one a column; all NULL when there is no row. */
export function rowSubquery(level: Level, query: BoundSelect, key: string, at: number): Expr[] {
  const record = recordSubquery(level, query, { kind: 'scalar', key: `row ${key}`, location: at });
  return query.outputs.map((o, index) => level.at({ k: 'field', arg: record, index, t: o.col.type }, at));
}

/** The same as one value. */
export function recordSubquery(level: Level, query: BoundSelect, about: Omit<Pending, 'right'>): Expr {
  const types = query.outputs.map((o) => o.col.type);
  const shape = { names: query.outputs.map((o) => o.name), types };
  const row: Expr = { k: 'row', items: query.outputs.map((o) => colRef(o.col)), t: RECORD, names: shape.names };
  const right: Logical = {
    op: 'project',
    input: query.plan,
    items: [{ col: level.shared.newCol('row', RECORD), expr: row }],
  };
  return register(level, { ...about, right }, RECORD, shape);
}

/** ARRAY(SELECT ...): array_agg in the subquery's order; no row gives an empty array. */
function bindArraySubquery(level: Level, query: BoundSelect, key: string, at: number): Expr {
  const [value] = query.outputs;
  const f = level.locate(at, () => resolveFunction({ name: 'array_agg', args: [value.col.type] }));
  if (arrayTypeOf(value.col.type.oid) === 0 && f.resultType.oid === 0) {
    throw level.error('42704', `could not find array type for data type ${formatType(value.col.type.oid)}`, at);
  }
  const columns = outputColumns(query.plan);
  const out = level.shared.newCol('array', f.resultType);
  const orderBy = query.order.map((o) => ({
    expr: colRef(columns.find((c) => c.id === o.id)!),
    desc: o.desc,
    nullsFirst: o.nullsFirst,
  }));
  const call = { out, fn: f.fn, args: [colRef(value.col)], distinct: false, filter: null, orderBy };
  const right: Logical = { op: 'aggregate', input: query.plan, keys: [], aggregates: [call] };
  const array = register(level, { kind: 'scalar', right, key, location: at }, f.resultType);
  const empty: Expr = { k: 'array', items: [], t: f.resultType };
  return level.at({ k: 'coalesce', args: [array, empty], t: f.resultType }, at);
}

/** x IN (SELECT ...), x op ANY|ALL (SELECT ...), and the same of rows. */
function bindQuantified(level: Level, c: PgNode, query: BoundSelect, key: string, at: number): Expr {
  const left = rowOf(level, c.testexpr);
  checkWidth(level, left.length, query.outputs.length, at);
  const { name, schema } = c.operName ? operatorName(c.operName) : { name: '=', schema: undefined };
  let all = c.subLinkType === 'ALL_SUBLINK';
  let used = name;
  let negated = false;
  if (left.length > 1 && name === '<>') {
    // (a, b) <> ALL (S) is NOT ((a, b) = ANY (S)): pairs are then joined by AND only.
    used = '=';
    all = !all;
    negated = true;
  } else if (left.length > 1 && name !== '=') {
    throw level.unsupported(`${name} between a row and a subquery`, at);
  }
  const ops = left.map((l, i) => operatorFor(level, used, l, colRef(query.outputs[i].col), at, schema));
  for (const op of ops) {
    if (op.resultType.oid === OID.bool) continue;
    const type = formatType(op.resultType.oid);
    const message =
      left.length > 1
        ? `row comparison operator must yield type boolean, not type ${type}`
        : `operator ${name} must return type boolean, not type ${type}`;
    throw level.error('42804', message, at);
  }
  const test = left.map((l, i) => operand(level, l, ops[i].argTypes[0]));
  const items = query.outputs.map((o, i) => {
    const from = colRef(o.col);
    const expr = operand(level, from, ops[i].argTypes[1]);
    return { col: expr === from ? o.col : level.shared.newCol(o.name, expr.t), expr };
  });
  const plain = items.every((i, n) => i.col === query.outputs[n].col);
  const right: Logical = plain ? visibleOnly(query) : { op: 'project', input: query.plan, items };
  const location = Math.min(at, rawLocation(c.testexpr) ?? at);
  const found = register(level, { kind: 'in', right, test, fn: ops.map((o) => o.fn), all, key, location }, BOOL);
  return negated ? level.at({ k: 'not', arg: found, t: BOOL }, at) : found;
}

/** The subquery that a column id stands for. */
export function subqueryOf(level: Level, id: number): Subquery | undefined {
  const info = level.shared.columns.get(id);
  return info?.kind === 'subquery' ? info.level.subqueries.get(id) : undefined;
}

/** Puts the subqueries that `exprs` use on top of `plan`; `done` holds the ids that the plan has already. */
export function attachSubqueries(level: Level, plan: Logical, exprs: Expr[], done: Set<number>): Logical {
  let out = plan;
  for (const e of exprs) {
    visitExpr(e, (x) => {
      const sub = x.k === 'col' && !done.has(x.id) ? subqueryOf(level, x.id) : undefined;
      if (!sub) return true;
      done.add(sub.out.id);
      out = attachSubqueries(level, out, sub.test, done);
      out = applyNode(out, sub);
      return true;
    });
  }
  return out;
}

function applyNode(left: Logical, s: Subquery): Logical {
  const { right, out } = s;
  switch (s.kind) {
    case 'in':
      return { op: 'apply', kind: 'in', left, right, out, test: s.test, fn: s.fn, all: s.all };
    case 'exists':
      return { op: 'apply', kind: 'exists', left, right, out };
    case 'scalar':
    case 'call':
      return { op: 'apply', kind: 'scalar', left, right, out };
    case 'value': {
      const items = outputColumns(left).map((col) => ({ col, expr: colRef(col) as Expr }));
      return { op: 'project', input: left, items: [...items, { col: out, expr: s.test[0] }] };
    }
  }
}
