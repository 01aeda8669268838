/**
 * MERGE: the rows of the source joined to the target, for each the first WHEN clause that fits, and what that makes of the target's row.
 *
 *   source JOIN target ON ...  -->  which clause  -->  action, the row's old state and its new one
 *
 * The join is an outer one on each side whose rows without a partner have a clause (PostgreSQL manual, MERGE). Values of a clause are
 * computed for its rows alone.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { JoinKind } from '../../operators/plan.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Relation } from '../catalog_reader.ts';
import { outputColumns } from '../logical/columns.ts';
import { BOOL, constant, INT4, TRUE } from '../logical/expressions.ts';
import type { Col, Logical } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { assignedRow, bindAssignments } from './assignment.ts';
import { toBoolean } from './coercion.ts';
import type { BoundMerge } from './env.ts';
import { bindFromItem } from './from.ts';
import type { FromItem } from './from_item.ts';
import { relationItem } from './from_relation.ts';
import { insertRow } from './insert.ts';
import { colRef, type Level } from './level.ts';
import { bindReturning } from './returning.ts';
import { attachSubqueries, subqueryOf } from './subquery.ts';
import { newRow, nullOf, targetRelation } from './target_relation.ts';
import { bindWith, modifyingItems } from './with.ts';

const TEXT = colType(OID.text);

type Match = 'both' | 'source' | 'target';

const MATCH: Record<string, Match> = {
  MERGE_WHEN_MATCHED: 'both',
  MERGE_WHEN_NOT_MATCHED_BY_TARGET: 'source',
  MERGE_WHEN_NOT_MATCHED_BY_SOURCE: 'target',
};

/** A WHEN clause. */
interface When {
  match: Match;
  condition: Expr | null;
  /** Null: DO NOTHING. */
  action: 'INSERT' | 'UPDATE' | 'DELETE' | null;
  /** The new row of INSERT and UPDATE. */
  values: Expr[] | null;
}

/** One side of the join, with a column that says whether it has a row. */
interface Side {
  item: FromItem;
  plan: Logical;
  isThere: Col;
}

/** Binds MERGE at a level of its own; `c` is the content of the node. */
export function mergeStatement(level: Level, c: PgNode): BoundMerge {
  bindWith(level, c.withClause);
  const clauses: PgNode[] = c.mergeWhenClauses.map((n: PgNode) => n.MergeWhenClause);
  refuseUnreachable(level, clauses);
  const relation = targetRelation(level, c, 'merge into');
  const target = side(level, relationItem(level, relation, c.relation.alias, true));
  level.entries.push(...target.item.items);
  const source = side(level, bindFromItem(level, c.sourceRelation));
  refuseSameName(level, target.item, source.item);
  const joined = join(level, c, source, target, clauses);
  const whens = clauses.map((clause) => bindWhen(level, clause, relation, source, target));
  return merged(level, c, relation, whens, source, target, joined);
}

function side(level: Level, item: FromItem): Side {
  const isThere = level.shared.newCol('is_there', BOOL);
  const kept = outputColumns(item.plan).map((col) => ({ col, expr: colRef(col) as Expr }));
  return { item, isThere, plan: { op: 'project', input: item.plan, items: [...kept, { col: isThere, expr: TRUE }] } };
}

/** A clause behind one of the same kind without a condition is never taken. */
function refuseUnreachable(level: Level, clauses: PgNode[]): void {
  const closed = new Set<string>();
  for (const { matchKind, condition } of clauses) {
    if (closed.has(matchKind)) {
      throw level.error('42601', 'unreachable WHEN clause specified after unconditional WHEN clause');
    }
    if (!condition) closed.add(matchKind);
  }
}

function refuseSameName(level: Level, target: FromItem, source: FromItem): void {
  const { name } = target.self;
  if (!source.items.some((item) => item.relVisible && item.name === name)) return;
  throw level.error('42712', `name "${name}" specified more than once`, undefined, {
    detail: 'The name is used both as MERGE target table and data source.',
  });
}

function join(level: Level, c: PgNode, source: Side, target: Side, clauses: PgNode[]): Logical {
  level.namespace = [...target.item.items, ...source.item.items];
  const on = toBoolean(level, level.bindIn('join_on', c.joinCondition), 'JOIN/ON');
  visitExpr(on, (x) => {
    if (x.k === 'col' && subqueryOf(level, x.id)) {
      throw level.unsupported('a subquery in the ON of MERGE', level.shared.locations.get(x));
    }
    return true;
  });
  const has = (match: Match) => clauses.some(({ matchKind }) => MATCH[matchKind] === match);
  const kind: JoinKind = has('source') ? (has('target') ? 'full' : 'left') : has('target') ? 'right' : 'inner';
  return { op: 'join', kind, left: source.plan, right: target.plan, on };
}

function bindWhen(level: Level, clause: PgNode, relation: Relation, source: Side, target: Side): When {
  const match = MATCH[clause.matchKind];
  const seen = { both: [target, source], source: [source], target: [target] }[match];
  level.namespace = seen.flatMap((s) => s.item.items);
  const condition = clause.condition
    ? level.inClause('merge_when', () => toBoolean(level, level.bind(clause.condition), 'WHEN'))
    : null;
  switch (clause.commandType) {
    case 'CMD_INSERT':
      return { match, condition, action: 'INSERT', values: insertRow(level, relation, clause) };
    case 'CMD_UPDATE':
      return { match, condition, action: 'UPDATE', values: updatedRow(level, relation, clause, target) };
    case 'CMD_DELETE':
      return { match, condition, action: 'DELETE', values: null };
    default:
      return { match, condition, action: null, values: null };
  }
}

function updatedRow(level: Level, relation: Relation, clause: PgNode, target: Side): Expr[] {
  const assignments = bindAssignments(level, relation, clause.targetList ?? []);
  return assignedRow(level, relation, outputColumns(target.item.plan), assignments);
}

/** The plan over the joined rows, and RETURNING. */
function merged(
  level: Level,
  c: PgNode,
  relation: Relation,
  whens: When[],
  source: Side,
  target: Side,
  joined: Logical,
): BoundMerge {
  const { shared } = level;
  const keep = outputColumns(joined).map((col) => ({ col, expr: colRef(col) as Expr }));
  const which = shared.newCol('which', INT4);
  const conditions = whens.flatMap((w) => (w.condition === null ? [] : [w.condition]));
  const fits = whens.map((when, i) => ({
    when: fit(when, source, target),
    then: constant(when.action === null ? null : i, INT4),
  }));
  const chosen: Logical = {
    op: 'project',
    input: attachSubqueries(level, joined, conditions, new Set()),
    items: [...keep, { col: which, expr: { k: 'case', whens: fits, else: null, t: INT4 } }],
  };
  const taken: Logical = {
    op: 'filter',
    input: chosen,
    predicate: { k: 'isnull', arg: colRef(which), negated: true, t: BOOL },
  };
  const old = outputColumns(target.item.plan);
  const by = (pick: (when: When) => Expr | null, t: Expr['t']): Expr => ({
    k: 'case',
    whens: whens.flatMap((when, i) => {
      const then = pick(when);
      return then === null ? [] : [{ when: equals(colRef(which), constant(i, INT4)), then }];
    }),
    else: nullOf(t),
    t,
  });
  const action = shared.newCol('merge_action', TEXT);
  const next = newRow(level, relation);
  const current = newRow(level, relation);
  const values = whens.flatMap((w) => w.values ?? []);
  const states: Logical = {
    op: 'project',
    input: attachSubqueries(level, taken, values, new Set()),
    items: [
      ...keep,
      { col: which, expr: colRef(which) },
      { col: action, expr: by((w) => w.action && constant(w.action, TEXT), TEXT) },
      ...relation.columns.map(({ type }, i) => ({ col: next[i], expr: by((w) => w.values?.[i] ?? null, type) })),
    ],
  };
  // On top of the new rows, whose values are computed once: a volatile one would be another.
  const plan: Logical = {
    op: 'project',
    input: states,
    items: [
      ...[...keep.map(({ col }) => col), action, ...next].map((col) => ({ col, expr: colRef(col) as Expr })),
      ...relation.columns.map(({ type }, i) => ({
        col: current[i],
        expr: by((w) => colRef(w.action === 'DELETE' ? old[i] : next[i]), type),
      })),
    ],
  };
  level.mergeAction = action;
  const row = {
    relation,
    name: target.item.self.name,
    qualified: target.item.self.qualified,
    current,
    old,
    new: next,
    last: true,
  };
  const returning = bindReturning(level, c.returningClause, row, source.item.items);
  return {
    k: 'merge',
    relation,
    items: modifyingItems(level),
    source: plan,
    action,
    oldColumns: old,
    newColumns: next,
    currentColumns: current,
    returning,
    dependencies: [...shared.dependencies],
    parameters: shared.env.paramTypes,
  };
}

/** Whether a joined row takes the clause, unless an earlier one fits. */
function fit({ match, condition }: When, source: Side, target: Side): Expr {
  const isThere = (s: Side, there: boolean): Expr => ({
    k: 'isnull',
    arg: colRef(s.isThere),
    negated: there,
    t: BOOL,
  });
  const args = [isThere(source, match !== 'target'), isThere(target, match !== 'source')];
  return { k: 'and', args: condition === null ? args : [...args, condition], t: BOOL };
}

function equals(left: Expr, right: Expr): Expr {
  return { k: 'call', fn: 'int4eq(int4,int4)', args: [left, right], t: BOOL, strict: true };
}
