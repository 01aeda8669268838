/**
 * Calls of functions that users made in SQL: the body is bound for each call, with the arguments in place of the parameters.
 *
 *   f(a, b) AS SELECT $1 + 2 * $2        f(x, 1)                 x + 2 * 1
 *   g(a)    AS SELECT n FROM t WHERE k = a     g(u.x)            (SELECT n FROM t WHERE k = u.x LIMIT 1)
 *   h(a)    RETURNS SETOF ...            FROM u, h(u.x)          FROM u, LATERAL (...)
 *   STRICT                               f(x)                    CASE WHEN x IS NULL THEN NULL ELSE ... END
 *
 * So a call costs what its body costs, in queries and in what is kept up to date. A volatile argument that an expression takes twice is a column of its own under it; one of a body with
 * rows is refused. What calls itself would not end: 54001. Traps: names of the body see columns before parameters; places of nodes are in the body's text, not in the statement's.
 */
import { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { WindowFrame } from '../../operators/plan.ts';
import { type ColType, colType } from '../../operators/types.ts';
import { isVolatile } from '../analyse/functions.ts';
import { presentColumns } from '../catalog_reader.ts';
import { oneRow, outputColumns } from '../logical/columns.ts';
import { BOOL, constant, sizeOf } from '../logical/expressions.ts';
import type { Col, Logical, OrderItem } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { uniqueOn } from '../rewrite/decorrelate/unique.ts';
import type { MadeFunction, PgProc } from '../types/catalog.ts';
import type { ResolvedFunction } from '../types/function.ts';
import { formatType } from '../types/type_name.ts';
import type { BoundCall } from './bound_call.ts';
import { type Clause, clauseName } from './clause.ts';
import { INT8, resolveUnknown, tryCoerce } from './coercion.ts';
import { columnsItem, type FromItem } from './from_item.ts';
import { type BoundSelect, type Callee, colRef, Level } from './level.ts';
import { attachSubqueries, recordSubquery, register } from './subquery.ts';
import { meaningText } from './target.ts';

/** Nodes of an expression that bodies within bodies may make. */
const LARGEST = 20_000;

/** Where an expression stands alone, without a query that could have a subquery. */
const ALONE: ReadonlySet<Clause> = new Set([
  'default',
  'execute',
  'option',
  'check',
  'generated',
  'index_expression',
  'index_predicate',
  'transform',
]);

const UP_TO_HERE: WindowFrame = {
  mode: 'rows',
  start: { k: 'unboundedPreceding' },
  end: { k: 'current' },
  exclude: 'none',
};

interface ReturnColumn {
  name: string;
  type: ColType;
}

/** `f(integer,text)` */
export function signatureText({ name, args }: Pick<PgProc, 'name' | 'args'>): string {
  return `${name}(${args.map((t) => formatType(t)).join(',')})`;
}

/** The call as an expression. */
export function bindSqlCall(level: Level, call: BoundCall): Expr {
  const { f } = call;
  const { proc } = f;
  if (f.retset) throw setElsewhere(level, call);
  return within(level, proc, () => {
    const value = bodyValue(level, call);
    const strict = f.strict ? ifNotNull(call.args, value) : value;
    const shape = level.shared.shapes.get(value);
    if (shape) level.shared.shapes.set(strict, shape);
    if (sizeOf(strict) > LARGEST) {
      throw new SqlError('54001', `the call of ${signatureText(proc)} is too large when it is written out`, {
        detail: 'Functions in SQL are written out where they are called, also in other functions.',
      });
    }
    return level.at(strict, call.location);
  });
}

export function setElsewhere(level: Level, { f, location }: BoundCall): SqlError {
  const message = `a call of ${signatureText(f.proc)}, which returns a set, is not supported here`;
  return level.error('0A000', message, location, {
    hint: 'Call it in FROM: its arguments may be columns of what stands before it.',
  });
}

/** The value of a call, before what STRICT makes of it. */
export function bodyValue(level: Level, call: BoundCall): Expr {
  const made = call.f.proc.made!;
  const columns = columnsOf(level, call.f, made);
  return (columns === null ? expressionOf(level, call, made) : null) ?? subqueryOf(level, call, made, columns);
}

/** Runs `body` for the body of a function. Errors have no place in the statement. What it reads is asked of who calls, also where a view does: its owner may be another than the view's. */
function within<T>(level: Level, proc: PgProc, body: () => T): T {
  const { calls, view, env } = level.shared;
  if (calls.some(({ oid }) => oid === proc.oid)) {
    throw new SqlError('54001', `function ${signatureText(proc)} calls itself`, {
      detail: 'A function in SQL is written out where it is called, which would not end.',
      hint: 'Use WITH RECURSIVE in its body.',
    });
  }
  env.onCall?.(proc.oid, view);
  calls.push(proc);
  level.shared.view = null;
  try {
    return body();
  } catch (e) {
    if (!(e instanceof SqlError) || e.fields.position === undefined) throw e;
    throw new SqlError(e.sqlstate, e.message, {
      ...e.fields,
      position: undefined,
      context: e.fields.context ?? `SQL function "${proc.name}"`,
    });
  } finally {
    calls.pop();
    level.shared.view = view;
  }
}

/** The columns of the rows that it returns; null: a plain value. */
export function columnsOf(level: Level, f: ResolvedFunction, { rowOf }: MadeFunction): ReturnColumn[] | null {
  if (rowOf === 0) return f.outColumns !== null && f.outColumns.length > 1 ? f.outColumns : null;
  const relation = level.shared.env.catalog.relationByOid(rowOf);
  if (relation === null) throw new SqlError('42P01', 'the relation whose rows the function returns was dropped');
  return presentColumns(relation).map(({ name, position }) => ({ name, type: relation.columns[position].type }));
}

function calleeOf(call: BoundCall, values: Expr[]): Callee {
  const { name, argNames, argModes, args } = call.f.proc;
  const isInput = (i: number) => argModes === null || ['i', 'b', 'v'].includes(argModes[i]);
  const names = argNames?.filter((_, i) => isInput(i)) ?? args.map(() => '');
  return { name, names, values, uses: values.map(() => 0), taken: new Set() };
}

function bodyLevel(level: Level, made: MadeFunction, callee: Callee): Level {
  const { text, seen } = made.body!;
  return new Level(level.shared, null, text, seen, callee);
}

/** The body as an expression over the arguments; null when it is more than one expression. */
function expressionOf(level: Level, call: BoundCall, made: MadeFunction): Expr | null {
  const node = onlyExpression(made.body!.select);
  if (node === null) return null;
  const bound = (values: Expr[]) => {
    const callee = calleeOf(call, values);
    const body = bodyLevel(level, made, callee);
    const expr = resolveUnknown(body, body.bindIn('select', node));
    const isPlain = body.aggregates.length + body.windows.length + body.setFunctions.size + body.subqueries.size === 0;
    return { body, callee, expr: isPlain ? expr : null };
  };
  let now = bound(call.args);
  if (now.expr === null) return null;
  const { uses } = now.callee;
  const isTwice = (arg: Expr, i: number) => isVolatile(arg) && uses[i] + (call.f.strict ? 1 : 0) > 1;
  if (call.args.some(isTwice)) {
    call.args = call.args.map((arg, i) => (isTwice(arg, i) ? ownColumn(level, call, arg) : arg));
    now = bound(call.args);
  }
  forgetPlaces(level, now.expr!, now.callee);
  return returned(now.body, call, now.expr!, call.t);
}

/** The one expression of SELECT expression, without any clause; null for other queries. */
function onlyExpression(select: PgNode): PgNode | null {
  const plain = new Set(['targetList', 'limitOption', 'op', 'groupClause']);
  if (Object.keys(select).some((key) => !plain.has(key)) || select.groupClause?.length > 0) return null;
  if (select.op !== 'SETOP_NONE' || select.targetList?.length !== 1) return null;
  const { val } = select.targetList[0].ResTarget;
  const isStar = val.ColumnRef?.fields.at(-1).A_Star !== undefined || val.A_Indirection?.indirection.at(-1).A_Star;
  return isStar ? null : val;
}

/** An argument that is worked out once a row, whatever is made of it. */
function ownColumn(level: Level, call: BoundCall, arg: Expr): Expr {
  refuseAlone(level, call);
  const key = `value ${level.shared.newId()}`;
  return register(level, { kind: 'value', right: oneRow(), test: [arg], key, location: call.location }, arg.t);
}

/** Rows of a body are looked for by the values of its arguments, which are worked out for that apart from the rows that they are of. */
function refuseVolatile(level: Level, { f, args, location }: BoundCall): void {
  if (!args.some(isVolatile)) return;
  throw level.error('0A000', `a volatile argument of ${signatureText(f.proc)} is not supported`, location, {
    detail: 'Its body is more than one expression.',
    hint: 'Work the argument out in WITH: WITH w AS (SELECT random() AS x) SELECT f(x) FROM w.',
  });
}

function refuseAlone(level: Level, { f, location }: BoundCall): void {
  if (!ALONE.has(level.clause)) return;
  throw level.error('0A000', `cannot use function ${signatureText(f.proc)} in ${clauseName(level.clause)}`, location, {
    detail: 'There its body must be one expression without subqueries, and take an argument that is volatile once.',
  });
}

/** Places in the body's text mean nothing in the statement's. */
function forgetPlaces(level: Level, expr: Expr, { taken }: Callee): void {
  visitExpr(expr, (x) => {
    if (taken.has(x)) return false;
    level.shared.locations.delete(x);
    return true;
  });
}

/** The value as the type that the function returns. */
function returned(body: Level, { f }: BoundCall, expr: Expr, to: ColType): Expr {
  const out = tryCoerce(body, expr, to, 'assignment');
  if (out === null) throw mismatch(f.proc, `Actual return type is ${formatType(expr.t.oid)}.`);
  return out.t.typmod === -1 || to.domain !== undefined
    ? out
    : { k: 'cast', arg: out, t: colType(out.t.oid), explicit: false };
}

function mismatch(proc: PgProc, detail: string): SqlError {
  const type = formatType(proc.result);
  return new SqlError('42P13', `return type mismatch in function declared to return ${type}`, { detail });
}

const ifNotNull = (args: Expr[], value: Expr): Expr => {
  const nulls = args
    .filter((a) => a.k !== 'const' || a.v === null)
    .map((arg): Expr => ({ k: 'isnull', arg, negated: false, t: BOOL }));
  if (nulls.length === 0) return value;
  const when: Expr = nulls.length === 1 ? nulls[0] : { k: 'or', args: nulls, t: BOOL };
  return { k: 'case', whens: [{ when, then: constant(null, value.t) }], else: value, t: value.t };
};

/** The rows of the body, as the columns that the function returns. */
export function rowsOf(
  level: Level,
  call: BoundCall,
  made: MadeFunction,
  columns: ReturnColumn[],
): { plan: Logical; cols: Col[]; order: OrderItem[] } {
  refuseVolatile(level, call);
  const body = bodyLevel(level, made, calleeOf(call, call.args));
  const query = level.shared.binders.select(
    body,
    { SelectStmt: made.body!.select },
    { resolveUnknown: true, keepOrder: true },
  );
  const { proc } = call.f;
  const outputs = spread(query, columns);
  if (outputs.length !== columns.length) {
    const few = outputs.length < columns.length;
    if (columns.length === 1) throw mismatch(proc, 'Final statement must return exactly one column.');
    throw mismatch(proc, `Final statement returns too ${few ? 'few' : 'many'} columns.`);
  }
  const items = columns.map(({ name, type }, i) => {
    const from = outputs[i];
    const expr = tryCoerce(body, from, type.domain === undefined ? colType(type.oid) : type, 'assignment');
    if (expr !== null) return { col: level.shared.newCol(name, expr.t), expr };
    if (columns.length === 1) throw mismatch(proc, `Actual return type is ${formatType(from.t.oid)}.`);
    throw mismatch(
      proc,
      `Final statement returns ${formatType(from.t.oid)} instead of ${formatType(type.oid)} at column ${i + 1}.`,
    );
  });
  const all = outputColumns(query.plan);
  const sorts = query.order.map((o) => ({ ...o, expr: colRef(all.find((c) => c.id === o.id)!) }));
  const hidden = sorts.map(({ expr }) => ({ col: level.shared.newCol('order', expr.t), expr: expr as Expr }));
  const plan: Logical = { op: 'project', input: query.plan, items: [...items, ...hidden] };
  const order = sorts.map(({ desc, nullsFirst }, i) => ({ expr: colRef(hidden[i].col), desc, nullsFirst }));
  return { plan, cols: items.map(({ col }) => col), order };
}

/** The columns of the body, or the fields of its only one where that is a row. */
function spread({ outputs }: BoundSelect, columns: ReturnColumn[]): Expr[] {
  const [only] = outputs;
  if (outputs.length !== 1 || columns.length < 2 || only.shape === undefined)
    return outputs.map(({ col }) => colRef(col));
  return only.shape.types.map((t, index): Expr => ({ k: 'field', arg: colRef(only.col), index, t }));
}

/** The first row of the body as a value: one column, or a row of `columns`. */
function subqueryOf(level: Level, call: BoundCall, made: MadeFunction, columns: ReturnColumn[] | null): Expr {
  refuseAlone(level, call);
  const rows = rowsOf(level, call, made, columns ?? [{ name: call.name, type: call.t }]);
  const one = constant(1n, INT8);
  const first: Logical = uniqueOn(rows.plan, new Set())
    ? rows.plan
    : { op: 'topn', input: rows.plan, partition: [], order: rows.order, limit: one, offset: null, withTies: false };
  const key = `call ${call.f.proc.oid} ${call.args.map((arg) => meaningText(level, arg)).join(' ')}`;
  const plan: Logical = { op: 'project', input: first, items: rows.cols.map((col) => ({ col, expr: colRef(col) })) };
  const about = { kind: 'call' as const, test: call.args, key, location: call.location };
  if (columns === null) return register(level, { ...about, right: plan }, call.t);
  const outputs = rows.cols.map((col) => ({ name: col.name, col }));
  return recordSubquery(level, { plan, outputs, order: [] }, about);
}

/** FROM f(...), where f returns a set. */
export function sqlFunctionItem(
  level: Level,
  call: BoundCall,
  alias: PgNode | undefined,
  withOrdinality: boolean,
): FromItem {
  const { f } = call;
  const made = f.proc.made!;
  const declared = columnsOf(level, f, made);
  const isScalar = declared === null && f.outColumns === null;
  const columns = declared ?? f.outColumns ?? [{ name: call.name, type: call.t }];
  const rows = within(level, f.proc, () => rowsOf(level, call, made, columns));
  let plan = rows.plan;
  const labelled = rows.cols.map((col) => ({ name: isScalar && alias?.aliasname ? alias.aliasname : col.name, col }));
  if (withOrdinality) {
    const out = level.shared.newCol('ordinality', INT8);
    const counted = { out, fn: 'row_number()', args: [], filter: null, aggregate: false, frame: UP_TO_HERE };
    plan = { op: 'window', input: plan, windows: [{ ...counted, partition: [], order: rows.order }] };
    labelled.push({ name: 'ordinality', col: out });
  }
  if (f.strict) {
    const given = call.args.map((arg): Expr => ({ k: 'isnull', arg, negated: true, t: BOOL }));
    if (given.length > 0) plan = { op: 'filter', input: plan, predicate: { k: 'and', args: given, t: BOOL } };
  }
  const items = labelled.map(({ col }) => ({ col, expr: colRef(col) as Expr }));
  const before = attachSubqueries(level, oneRow(), call.args, new Set());
  const all: Logical =
    before.op === 'values' ? plan : { op: 'apply', kind: 'cross', left: before, right: plan, on: null };
  const item = columnsItem(level, { op: 'project', input: all, items }, alias, call.name, labelled);
  item.self.scalar = isScalar && !withOrdinality;
  return item;
}
