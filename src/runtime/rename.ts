/**
 * Another name for an object. What reads a relation knows it by its OID and goes on; the texts of views that name it are written anew, for those who look
 * at them, and the syntax trees of plain views, which are bound at each use:
 *
 *   FROM t                ->  FROM u AS t                    t.x in the query means what it meant
 *   FROM s.t AS a         ->  FROM s.u AS a
 *   TUMBLE(t, at, ...)    ->  TUMBLE(u, at, ...) AS t
 *
 * A view that cannot be bound with the new name (it says s.t.x) keeps the relation from being renamed.
 */
import { SqlError } from '../../operators/errors.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { SelectNode } from '../../planner/parse/ast.ts';
import { scanPostgres } from '../../planner/parse/pg_parser.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import { type CatalogObject, KIND_NAMES } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { closingBracket, type Edit, edited, insertion } from './text_edits.ts';
import {
  bindViewQuery,
  type NamePlace,
  namePlaces,
  nameTokens,
  type ReadingView,
  readersOf,
  setQuery,
} from './view_query.ts';
import { viewText } from './view_text.ts';

export function renameObject(engine: TidemarkEngine, object: CatalogObject, to: string, session: SessionContext): void {
  const { catalog } = engine;
  const from = object.name;
  if (object.kind === 'table' && object.relation.key !== null && catalog.in(object.schema, `${to}_pkey`)) {
    throw new SqlError('42P07', `relation "${to}_pkey" already exists`);
  }
  const readers = readersOf(engine, object);
  const before = readers.map(({ query }) => query);
  const renamed = readers.map((view) => renamedQuery(engine, view, object, to, session));
  catalog.rename(object, to);
  // All of them first: one may be read through another.
  readers.forEach((view, i) => void setQuery(view, renamed[i]));
  try {
    for (const view of readers) check(engine, view, from, session);
  } catch (error) {
    catalog.rename(object, from);
    readers.forEach((view, i) => void setQuery(view, before[i]));
    throw error;
  }
  const running = engine.loop.view(object.oid);
  if (running !== undefined) running.name = to;
  for (const view of readers) view.sql = viewText(engine, view, session);
}

function check(engine: TidemarkEngine, view: ReadingView, from: string, session: SessionContext): void {
  try {
    bindViewQuery(engine, view, structuredClone(view.query), session);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const message = `cannot rename "${from}", as ${KIND_NAMES[view.kind]} "${view.name}" could not be read with the new name: ${error.message}`;
    throw new SqlError('0A000', message, { hint: 'Drop the view, and make it again after the renaming.' });
  }
}

function renamedQuery(
  engine: TidemarkEngine,
  view: ReadingView,
  object: CatalogObject,
  to: string,
  session: SessionContext,
): SelectNode {
  const query = structuredClone(view.query);
  const places = namePlaces(engine, view, query, session, ({ oid }) => oid === object.oid);
  for (const place of places) renamePlace(query, place, object.name, to);
  return query;
}

function renamePlace(query: SelectNode, place: NamePlace, from: string, to: string): void {
  const { node, aliased, inCall } = place;
  const tokens = scanPostgres(query.text);
  const [, name] = nameTokens(tokens, place);
  if (aliased.alias === undefined) {
    aliased.alias = { aliasname: from };
    const { end } = tokens[inCall ? closingBracket(tokens, name) : name];
    edit(query, insertion(end, ` AS ${quoteIdent(from)}`));
  }
  node.relname = to;
  edit(query, { from: tokens[name].start, to: tokens[name].end, text: quoteIdent(to) });
}

/** Edits the query's text, and moves the places of what comes after that. */
function edit(query: SelectNode, change: Edit): void {
  query.text = edited(query.text, [change]);
  const by = Buffer.byteLength(change.text, 'utf8') - (change.to - change.from);
  walkTree(query.select, (node) => {
    if (typeof node.location === 'number' && node.location > change.from) node.location += by;
  });
}
