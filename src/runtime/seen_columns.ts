/**
 * What the views of a relation go on seeing when its columns get other names, or become more or fewer: the columns that it had when they were written.
 * `*`, NATURAL JOIN and names that would mean two columns now mean what they meant (SelectNode.seen, planner/bind/from_relation.ts).
 */
import { presentColumns } from '../../planner/catalog_reader.ts';
import { nodeKeys, planQuery } from '../../planner/physical/index.ts';
import type { CatalogObject, MaterializedViewObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { bindViewQuery, orNull, readersOf, setQuery } from './view_query.ts';
import { viewText } from './view_text.ts';

type RelationHolder = Extract<CatalogObject, { relation: unknown }>;

/** To be called before the columns change. */
export function keepSeen(engine: TidemarkEngine, object: RelationHolder): void {
  const seen = { relation: object.oid, columns: presentColumns(object.relation) };
  for (const view of readersOf(engine, object)) {
    const known = view.query.seen ?? [];
    if (known.some(({ relation }) => relation === object.oid)) continue;
    setQuery(view, { ...view.query, seen: [...known, seen] });
  }
}

/**
 * To be called when they have changed: what is shown of the views says what is now. The change is made, and is in nobody's hand any more: a view whose text
 * cannot be made keeps that of before.
 */
export function showSeen(engine: TidemarkEngine, object: RelationHolder, session: SessionContext): void {
  for (const view of readersOf(engine, object)) {
    try {
      view.sql = viewText(engine, view, session);
      if (view.kind === 'materialized_view') showNames(engine, view, session);
    } catch (error) {
      engine.log(
        'error',
        `the text of "${view.name}" is that of before "${object.name}" was altered: ${(error as Error).stack}`,
      );
    }
  }
}

/** The names of columns that EXPLAIN shows in a plan that was made before. */
function showNames(engine: TidemarkEngine, view: MaterializedViewObject, session: SessionContext): void {
  const { plan } = view.physical;
  const now = orNull(() => planQuery(bindViewQuery(engine, view, view.query, session), { mode: 'view' }).plan);
  if (now === null) return;
  const keys = nodeKeys(plan);
  if (nodeKeys(now).some((key, i) => key !== keys[i])) return;
  plan.nodes.forEach((node, i) => {
    node.names = now.nodes[i].names;
  });
}
