/**
 * WITH. Each item is bound once; its references share that plan under a projection to fresh ids, so that the physical stage can
 * run it once. An item that reads columns of an outer query is bound anew for each reference: its plan is not the same for all.
 * An item that calls a volatile function is worked out once as it stands, whether NOT MATERIALIZED is said or not, as in PostgreSQL: its references are
 * leaves (`once`), into which no filter goes.
 * An item that is INSERT, UPDATE, DELETE or MERGE runs once whether it is referenced or not; references see the rows of its RETURNING.
 */
import { isVolatilePlan } from '../analyse/volatile_plan.ts';
import type { Logical, OnceItem } from '../logical/plan.ts';
import { readsRecursionAround } from '../logical/recursion_around.ts';
import { freeIds } from '../logical/tree.ts';
import type { PgNode } from '../parse/ast.ts';
import type { BoundModification } from './env.ts';
import { type BoundSelect, colRef, Level, type Output } from './level.ts';
import { contentOf, kindOf, locationOf, names } from './node.ts';
import { bindRecursive } from './recursive.ts';
import { mentions } from './recursive_form.ts';
import { visibleOnly } from './visible.ts';

interface Bound {
  plan: Logical;
  outputs: Output[];
  once?: OnceItem;
}

/** Makes the items of a WITH clause known to the level. */
export function bindWith(level: Level, clause: PgNode | undefined): void {
  if (!clause) return;
  const items: PgNode[] = clause.ctes.map((n: PgNode) => n.CommonTableExpr);
  for (const [i, c] of items.entries()) {
    if (items.findIndex((o) => o.ctename === c.ctename) < i) {
      throw level.error('42712', `WITH query name "${c.ctename}" specified more than once`, locationOf(c));
    }
    if (kindOf(c.ctequery) !== 'SelectStmt') checkModifying(level, c, clause.recursive === true);
    if (c.search_clause) throw level.unsupported('SEARCH in WITH', locationOf(contentOf({ x: c.search_clause })));
    if (c.cycle_clause) throw level.unsupported('CYCLE in WITH', locationOf(contentOf({ x: c.cycle_clause })));
  }
  for (const c of clause.recursive ? inDependencyOrder(level, items) : items)
    bindItem(level, c, clause.recursive === true);
}

/** In WITH RECURSIVE an item may use later ones; none may use another that uses it. */
function inDependencyOrder(level: Level, items: PgNode[]): PgNode[] {
  const out: PgNode[] = [];
  const visiting = new Set<PgNode>();
  const visit = (c: PgNode): void => {
    if (out.includes(c)) return;
    if (visiting.has(c)) {
      throw level.error('0A000', 'mutual recursion between WITH items is not implemented', locationOf(c));
    }
    visiting.add(c);
    for (const other of items) if (other !== c && mentions(c.ctequery, other.ctename)) visit(other);
    out.push(c);
  };
  items.forEach(visit);
  return out;
}

/** INSERT, UPDATE, DELETE and MERGE stand in the WITH of a whole statement alone, for they run once. */
function checkModifying(level: Level, c: PgNode, recursive: boolean): void {
  const at = locationOf(c);
  const { env } = level.shared;
  // A query that is no statement of its own (a view's, a cursor's) has its WITH one level below.
  const outermost = env.allowModifying === true ? 0 : 1;
  if (level.depth > outermost) {
    throw level.error('0A000', 'WITH clause containing a data-modifying statement must be at the top level', at);
  }
  if (env.mode === 'view') {
    throw level.error('0A000', 'materialized views must not use data-modifying statements in WITH', at);
  }
  if (env.allowModifying !== true)
    throw level.unsupported('a data-modifying statement in the WITH of such a query', at);
  if (recursive && mentions(c.ctequery, c.ctename)) {
    throw level.error('42P19', `recursive query "${c.ctename}" must not contain data-modifying statements`, at);
  }
}

/** The modifying items of the statement that a level is the outermost of. */
export function modifyingItems(level: Level): BoundModification[] {
  return level.parent === null ? level.shared.modifying : [];
}

/** A modifying item. What it returns is known when it has run. */
function bindModifyingItem(level: Level, scope: Level, c: PgNode): void {
  const { modifying } = level.shared;
  const bound = level.shared.binders.modification(scope.nested(), c.ctequery);
  const place = modifying.push(bound) - 1;
  const { returning } = bound;
  const name: string = c.ctename;
  const outputs = (returning?.items ?? []).map((item): Output => {
    const { name, type, origin, shape } = item;
    return { name, col: level.shared.newCol(name, type), origin, shape };
  });
  const item: Bound = {
    plan: { op: 'values', rows: [], cols: outputs.map((o) => o.col), returned: place },
    outputs: renamed(level, c, outputs),
  };
  level.ctes.set(name, {
    name,
    use: (user, at) => {
      if (returning === null) {
        throw user.error('0A000', `WITH query "${name}" does not have a RETURNING clause`, at);
      }
      return reference(user, item);
    },
  });
}

function bindItem(level: Level, c: PgNode, recursive: boolean): void {
  const name: string = c.ctename;
  // The items so far, and outer queries, but not the FROM of the query that WITH belongs to.
  const scope = new Level(level.shared, level.parent, level.text, level.seen, level.callee);
  for (const [n, cte] of level.ctes) scope.ctes.set(n, cte);
  if (kindOf(c.ctequery) !== 'SelectStmt') {
    bindModifyingItem(level, scope, c);
    return;
  }
  const bind = (): Bound => (recursive && mentions(c.ctequery, name) ? bindRecursive(scope, c) : plainItem(scope, c));
  const first = bind();
  const { settled, env } = level.shared;
  const shared = freeIds(first.plan, settled).size === 0;
  const volatile = shared && env.mode === 'read' && isVolatilePlan(first.plan, settled);
  if (volatile && !readsRecursionAround(first.plan)) {
    first.once = { id: level.shared.newId(), plan: first.plan, outputs: first.outputs.map((o) => o.col) };
  }
  if (shared && !volatile) settled.add(first.plan);
  let used = false;
  level.ctes.set(name, {
    name,
    use: (user) => {
      const bound = shared || !used ? first : bind();
      used = true;
      return reference(user, bound);
    },
  });
}

function plainItem(scope: Level, c: PgNode): Bound {
  const query = scope.shared.binders.select(scope, c.ctequery, { resolveUnknown: true, keepOrder: false });
  return { plan: visibleOnly(query), outputs: renamed(scope, c, query.outputs) };
}

/** The outputs under the names of WITH name(a, b, ...). */
function renamed(level: Level, c: PgNode, outputs: BoundSelect['outputs']): Output[] {
  const given = names(c.aliascolnames);
  if (given.length > outputs.length) {
    throw level.error(
      '42P10',
      `WITH query "${c.ctename}" has ${outputs.length} columns available but ${given.length} columns specified`,
      locationOf(c),
    );
  }
  return outputs.map((o, i) => ({ ...o, name: given[i] ?? o.name }));
}

/** A reference: the shared plan with columns of its own. */
function reference(level: Level, bound: Bound): Bound {
  const { once } = bound;
  const items = bound.outputs.map((o) => ({
    col: level.shared.newCol(o.name, o.col.type),
    expr: colRef(o.col),
  }));
  return {
    plan:
      once === undefined
        ? { op: 'project', input: bound.plan, items }
        : { op: 'once', item: once, columns: items.map((_, i) => i), cols: items.map((i) => i.col) },
    outputs: bound.outputs.map((o, i) => ({ name: o.name, col: items[i].col, origin: o.origin, shape: o.shape })),
  };
}
