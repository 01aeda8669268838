/**
 * A SELECT, from syntax to plan. Clauses are bound in PostgreSQL's order, so that of several errors the same one is reported;
 * then the plan is put together from the bottom:
 *
 *   FROM - WHERE - GROUP BY - HAVING - window functions - set-returning functions - select list - DISTINCT - ORDER BY/LIMIT
 *
 * Subqueries are attached right under the step that first needs them.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Logical, LogicalAggregate, OrderItem } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { isUnknown, resolveUnknown, toBoolean, tryCoerce } from './coercion.ts';
import { bindFrom } from './from.ts';
import { bindGroupBy } from './group_clause.ts';
import { Grouping } from './grouping.ts';
import { type BoundSelect, colRef, type Level, type Output, type SelectOptions, type SetFunction } from './level.ts';
import { bindLimit } from './limit.ts';
import { exprLocation } from './locate.ts';
import { contentOf } from './node.ts';
import { bindDistinctOn, bindOrderBy, checkDistinct, type SortTarget } from './order_clause.ts';
import { attachSetFunctions } from './set_function.ts';
import { bindSetOperation } from './set_operation.ts';
import { attachSubqueries } from './subquery.ts';
import { bindTargets, type Target } from './target.ts';
import { bindValues } from './values.ts';
import { resolveWindows } from './window_clause.ts';
import { bindWith } from './with.ts';

/** Binds a query nested in `parent`; `stmt` is { SelectStmt } or its content. */
export function bindSelect(parent: Level, stmt: PgNode, options: SelectOptions): BoundSelect {
  const level = parent.nested();
  const c = stmt.SelectStmt ?? stmt;
  if (stmt.SelectStmt === undefined && c.op === undefined && c.limitOption === undefined) {
    throw level.unsupported(`${Object.keys(stmt)[0]} as a query`);
  }
  bindWith(level, c.withClause);
  if (c.intoClause)
    throw level.error('42601', 'SELECT ... INTO is not allowed here', contentOf(c.intoClause.rel ?? {}).location);
  if (c.lockingClause && level.shared.env.mode === 'view') throw level.unsupported('FOR UPDATE in a view');
  if (c.lockingClause) refuseLocking(level, c);
  if (c.op && c.op !== 'SETOP_NONE') return bindSetOperation(level, c, options);
  if (c.valuesLists) return bindValues(level, c, options);
  return bindPlainSelect(level, c, options);
}

const STRENGTH: Record<string, string> = {
  LCS_FORUPDATE: 'FOR UPDATE',
  LCS_FORNOKEYUPDATE: 'FOR NO KEY UPDATE',
  LCS_FORSHARE: 'FOR SHARE',
  LCS_FORKEYSHARE: 'FOR KEY SHARE',
};

/** Row locks mean nothing here and are accepted where PostgreSQL accepts them. */
function refuseLocking(level: Level, c: PgNode): void {
  const name = STRENGTH[contentOf(c.lockingClause[0]).strength] ?? 'FOR UPDATE';
  const within = c.valuesLists
    ? 'VALUES'
    : c.op && c.op !== 'SETOP_NONE'
      ? 'UNION/INTERSECT/EXCEPT'
      : c.distinctClause
        ? 'DISTINCT clause'
        : c.groupClause
          ? 'GROUP BY clause'
          : c.havingClause
            ? 'HAVING clause'
            : null;
  if (within === 'VALUES') throw level.error('0A000', `${name} cannot be applied to VALUES`);
  if (within) throw level.error('0A000', `${name} is not allowed with ${within}`);
}

function bindPlainSelect(level: Level, c: PgNode, options: SelectOptions): BoundSelect {
  for (const w of c.windowClause ?? []) level.windowDefinitions.push(w.WindowDef);
  const from = bindFrom(level, c.fromClause ?? []);
  const targets = level.inClause('select', () => bindTargets(level, c.targetList ?? []));
  const where = c.whereClause
    ? level.inClause('where', () => toBoolean(level, level.bind(c.whereClause), 'WHERE'))
    : null;
  const having = c.havingClause
    ? level.inClause('having', () => toBoolean(level, level.bind(c.havingClause), 'HAVING'))
    : null;
  const order = bindOrderBy(level, targets, c.sortClause);
  const group = bindGroupBy(level, targets, c.groupClause, c.groupDistinct === true);
  const distinct = c.distinctClause as PgNode[] | undefined;
  const isDistinctOn = distinct !== undefined && Object.keys(distinct[0] ?? {}).length > 0;
  const on = isDistinctOn ? bindDistinctOn(level, targets, distinct, order) : [];
  if (distinct && !isDistinctOn) checkDistinct(level, targets, order);
  const offset = bindLimit(level, c.limitOffset, 'OFFSET');
  const limit = bindLimit(level, c.limitCount, 'LIMIT');
  resolveWindows(level, targets);
  if (options.resolveUnknown || distinct) for (const t of targets) t.expr = resolveUnknown(level, t.expr);

  const sorts = c.limitOption === 'LIMIT_OPTION_WITH_TIES' || limit || offset || isDistinctOn;
  const sorted = sorts || options.keepOrder ? [...order.map((s) => s.target), ...on] : [];
  const kept = targets.filter((t) => !t.hidden || sorted.includes(t));
  const plan = beforeProjection(level, from, where, having, group, targets);
  const done = plan.done;
  const list = kept.map((t) => t.expr);
  plan.plan = attachSetFunctions(level, plan.plan, list, plan.sets, (p, args) =>
    attachSubqueries(level, p, args, done),
  );
  plan.plan = attachSubqueries(level, plan.plan, list, done);
  const projected = project(level, plan.plan, kept);
  let out: Logical = projected.plan;
  const item = (s: SortTarget): OrderItem => ({
    expr: colRef(projected.colOf(s.target)),
    desc: s.desc,
    nullsFirst: s.nullsFirst,
  });
  if (distinct && !isDistinctOn) out = { op: 'distinct', input: out };
  if (isDistinctOn) {
    const partition = on.map((t) => colRef(projected.colOf(t)));
    const one: Expr = { k: 'const', v: 1n, t: { oid: 20, typmod: -1 } };
    out = { op: 'topn', input: out, partition, order: order.map(item), limit: one, offset: null, withTies: false };
  }
  const withTies = c.limitOption === 'LIMIT_OPTION_WITH_TIES';
  if (limit || offset) {
    out = { op: 'topn', input: out, partition: [], order: order.map(item), limit, offset, withTies };
  }
  const presentation = options.keepOrder
    ? order.map((s) => ({ id: projected.colOf(s.target).id, desc: s.desc, nullsFirst: s.nullsFirst }))
    : [];
  return { plan: out, outputs: projected.outputs, order: presentation };
}

interface Stage {
  plan: Logical;
  /** Subqueries and set-returning functions whose columns the plan has. */
  done: Set<number>;
  sets: Set<SetFunction>;
}

/** Everything below the select list. Rewrites the targets when the query is grouped. */
function beforeProjection(
  level: Level,
  from: Logical,
  where: Expr | null,
  having: Expr | null,
  group: ReturnType<typeof bindGroupBy>,
  targets: Target[],
): Stage {
  let done = new Set<number>();
  let plan = from;
  const sets = new Set<SetFunction>();
  if (where) plan = { op: 'filter', input: attachSubqueries(level, plan, [where], done), predicate: where };
  if (group || having || level.aggregates.length > 0 || level.grouping.length > 0) {
    const keys = group?.keys ?? [];
    plan = attachSetFunctions(level, plan, keys, sets, (p, args) => attachSubqueries(level, p, args, done));
    for (const { call } of level.aggregates) takeInputOrder(level, call);
    const inputs = level.aggregates.flatMap(({ call }) => [
      ...call.args,
      ...(call.filter ? [call.filter] : []),
      ...call.orderBy.map((o) => o.expr),
    ]);
    plan = attachSubqueries(level, plan, [...keys, ...inputs], done);
    done = new Set();
    const grouping = new Grouping(level, group, sets);
    for (const t of targets) t.expr = grouping.rewrite(t.expr);
    const havingAbove = having && grouping.rewrite(having);
    for (const { call } of level.windows) {
      call.partition = call.partition.map((a) => grouping.rewrite(a));
      call.order = call.order.map((o) => ({ ...o, expr: grouping.rewrite(o.expr) }));
    }
    plan = grouping.node(plan);
    if (havingAbove) {
      plan = { op: 'filter', input: attachSubqueries(level, plan, [havingAbove], done), predicate: havingAbove };
    }
  }
  if (level.windows.length > 0) {
    const calls = level.windows.map((w) => w.call);
    const inputs = calls.flatMap((w) => [
      ...w.args,
      ...w.partition,
      ...w.order.map((o) => o.expr),
      ...(w.filter ? [w.filter] : []),
    ]);
    plan = { op: 'window', input: attachSubqueries(level, plan, inputs, done), windows: calls };
  }
  return { plan, done, sets };
}

const SHOWS_ORDER = /^(array_agg|string_agg|jsonb?_agg|jsonb?_object_agg|jsonb?_agg_strict|jsonb?_object_agg_\w+)\(/;

/** array_agg(x) FROM (SELECT ... ORDER BY y) gives the elements in that order, as PostgreSQL does without promising it. */
function takeInputOrder(level: Level, call: LogicalAggregate): void {
  if (call.orderBy.length === 0 && !call.distinct && SHOWS_ORDER.test(call.fn)) call.orderBy = level.inputOrder;
}

function project(level: Level, input: Logical, targets: Target[]) {
  const items = targets.map((t) => ({ col: level.shared.newCol(t.name, t.expr.t), expr: t.expr }));
  const outputs = targets.flatMap((t, i): Output[] => {
    if (t.hidden) return [];
    const location = exprLocation(level, t.expr);
    const output: Output = { name: t.name, col: items[i].col, origin: t.origin, shape: t.shape, location };
    if (isUnknown(level, t.expr)) {
      output.retype = (type) => {
        items[i].expr = tryCoerce(level, items[i].expr, type, 'implicit') ?? items[i].expr;
        items[i].col.type = items[i].expr.t;
      };
    }
    return [output];
  });
  const plan: Logical = { op: 'project', input, items };
  return { plan, outputs, colOf: (t: Target) => items[targets.indexOf(t)].col };
}
