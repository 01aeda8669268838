/** The query that a view keeps: bound again as it was at first, and the places in its text where it names a relation. */
import { SqlError } from '../../operators/errors.ts';
import { bindQuery } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { BoundQuery } from '../../planner/logical/plan.ts';
import type { PgNode, SelectNode } from '../../planner/parse/ast.ts';
import type { Token } from '../../planner/parse/pg_parser.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import type { CatalogObject, MaterializedViewObject, ViewObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { sessionWith } from './session_with.ts';
import { tokenAt } from './text_edits.ts';

export type ReadingView = ViewObject | MaterializedViewObject;

/** Views whose own text names this object. */
export function readersOf(engine: TidemarkEngine, { oid }: CatalogObject): ReadingView[] {
  return engine.catalog.objects().filter((other): other is ReadingView => {
    return (other.kind === 'view' || other.kind === 'materialized_view') && other.dependencies.includes(oid);
  });
}

/** Gives a view another query that means the same. */
export function setQuery(view: ReadingView, query: SelectNode): void {
  view.query = query;
  if (view.kind === 'view') view.relation.query = query;
}

/** Null for what an SQL error says of that it cannot be: queries that an earlier version took, and this one does not; those that were tried. */
export function orNull<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

/** Binds a query of the view's. `onRelation` is called for each name of a relation in it, and in the plain views that it reads. */
export function bindViewQuery(
  engine: TidemarkEngine,
  view: ReadingView,
  query: SelectNode,
  session: SessionContext,
  onRelation?: (node: PgNode, relation: Relation) => void,
): BoundQuery {
  // An ALTER has the OID of what it altered, too, which it reads.
  const made = engine.definitions.save().findLast(({ record, reads }) => {
    return record.made === view.oid && !reads.includes(view.oid);
  });
  const searchPath = made?.record.settings.searchPath ?? session.searchPath;
  return bindQuery(query, {
    ...engine.bindEnv(sessionWith(session, { searchPath }), [], 'read'),
    allowParams: false,
    onRelation,
  });
}

export interface NamePlace {
  relation: Relation;
  /** The RangeVar that names the relation, and the item of FROM that has or gets the alias. */
  node: PgNode;
  aliased: PgNode;
  /** The name is an argument of TUMBLE and the like. */
  inCall: boolean;
}

/** Where the query names relations that `wanted` takes, last first. */
export function namePlaces(
  engine: TidemarkEngine,
  view: ReadingView,
  query: SelectNode,
  session: SessionContext,
  wanted: (relation: Relation) => boolean,
): NamePlace[] {
  const named = new Map<PgNode, Relation>();
  bindViewQuery(engine, view, query, session, (node, relation) => {
    if (wanted(relation)) named.set(node, relation);
  });
  const places: NamePlace[] = [];
  walkTree(query.select, (node) => {
    const call = node.RangeFunction?.functions[0].List?.items[0]?.FuncCall?.args?.[0]?.ColumnRef?.rangeVar;
    const inCall = named.get(call);
    const own = named.get(node.RangeVar);
    if (inCall !== undefined) places.push({ relation: inCall, node: call, aliased: node.RangeFunction, inCall: true });
    if (own !== undefined) places.push({ relation: own, node: node.RangeVar, aliased: node.RangeVar, inCall: false });
  });
  return places.sort((a, b) => b.node.location - a.node.location);
}

/** First and last token of the relation's name. */
export function nameTokens(tokens: Token[], { node }: NamePlace): [number, number] {
  const first = tokenAt(tokens, node.location);
  return [first, tokens[first + 1]?.text === '.' ? first + 2 : first];
}
