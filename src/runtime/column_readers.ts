/**
 * What reads a column of a table: views whose text means something else, or nothing, without it; sinks and subscriptions whose plans take it.
 * As in PostgreSQL a view that reads other columns alone is in nobody's way.
 */
import { SqlError } from '../../operators/errors.ts';
import { presentColumns } from '../../planner/catalog_reader.ts';
import type { SelectNode } from '../../planner/parse/ast.ts';
import type { CatalogObject, RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { Dependent } from './dependents.ts';
import type { TidemarkEngine } from './engine.ts';
import { bodyReads } from './function_users.ts';
import { wordsOf } from './kept_users.ts';
import { bindViewQuery, orNull, type ReadingView } from './view_query.ts';
import { meaningOf } from './view_text.ts';

/** Those that read it themselves, in the order in which they were made. */
export function columnReaders(
  engine: TidemarkEngine,
  table: RelationObject,
  position: number,
  session: SessionContext,
): CatalogObject[] {
  return engine.catalog.objects().filter((object) => {
    if (!object.dependencies.includes(table.oid) || object.kind === 'index') return false;
    if (takes(object, table.oid, position)) return true;
    if (object.kind === 'function') return bodyReads(engine, object, table.relation, position, session);
    return 'query' in object && textReads(engine, object, table, position, session);
  });
}

function takes(object: CatalogObject, oid: number, position: number): boolean {
  if (!('physical' in object) || object.physical === undefined) return false;
  return object.physical.plan.nodes.some(
    (node) => node.op === 'source' && node.relation === oid && node.columns.includes(position),
  );
}

function textReads(
  engine: TidemarkEngine,
  view: ReadingView,
  table: RelationObject,
  position: number,
  session: SessionContext,
): boolean {
  const { query } = view;
  const others = (query.seen ?? []).filter(({ relation }) => relation !== table.oid);
  const known = query.seen?.find(({ relation }) => relation === table.oid)?.columns ?? presentColumns(table.relation);
  const columns = known.filter((column) => column.position !== position);
  const meaning = (tried: SelectNode) => orNull(() => meaningOf(view, bindViewQuery(engine, view, tried, session)));
  const without = meaning({ ...query, seen: [...others, { relation: table.oid, columns }] });
  return without === null || without !== meaning(query);
}

/** What would go with a column: each reader, then what reads that. */
export function goesWith(
  engine: TidemarkEngine,
  readers: CatalogObject[],
  on: string,
): (Dependent & { object: CatalogObject })[] {
  const found: (Dependent & { object: CatalogObject })[] = [];
  const visit = (object: CatalogObject, why: string): void => {
    if (found.some((other) => other.object === object)) return;
    const name = wordsOf(object);
    found.push({ object, text: name, on: why });
    for (const other of engine.catalog.objects())
      if (other.dependencies.includes(object.oid) && other.kind !== 'index') visit(other, name);
  };
  for (const reader of readers) visit(reader, on);
  return found;
}

/** A subscription to a table would have to give rows of two forms when its columns change. */
export function checkNotFollowed({ catalog }: TidemarkEngine, { oid, name }: RelationObject): void {
  const follower = catalog
    .objects()
    .find((other) => other.kind === 'subscription' && other.physical === undefined && other.follows === oid);
  if (follower === undefined) return;
  throw new SqlError('2BP01', `cannot alter the columns of table ${name} because other objects depend on it`, {
    detail: `subscription ${follower.name} depends on table ${name}`,
    hint: 'Drop the subscription, or make it FOR a query of the columns that it needs.',
  });
}
