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
import { scanPostgres, type Token } from '../../planner/parse/pg_parser.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import { type CatalogObject, KIND_NAMES } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { boundFunctions } from './function_users.ts';
import { checkNotOthers } from './open_objects.ts';
import { renameOwnRow } from './own_texts.ts';
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
  // What the transaction has made itself may have a name that it has given up.
  const path = catalog.open.has(object.oid) ? session.searchPath : [];
  checkKeyName(engine, object, to, path);
  const other = catalog.in(object.schema, to, path);
  if (other !== undefined) checkNotOthers(engine, `relation "${to}"`, other.oid, session);
  changeReaders(engine, object, session, {
    edit: (query, place, tokens) => renamePlace(query, place, tokens, from, to),
    change: () => catalog.rename(object, to, path),
    undo: () => catalog.setName(object, from),
    refused: (view) =>
      `cannot rename "${from}", as ${KIND_NAMES[view.kind]} "${view.name}" could not be read with the new name`,
  });
  renameOwnRow(engine, object, from, to);
  const running = engine.loop.view(object.oid);
  if (running !== undefined) running.name = to;
}

/** The index of a primary key is called after its table. */
export function checkKeyName(
  { catalog }: TidemarkEngine,
  object: CatalogObject,
  to: string,
  searchPath: string[],
): void {
  if (object.kind !== 'table' || object.relation.key === null) return;
  if (catalog.in(object.schema, `${to}_pkey`, searchPath) === undefined) return;
  throw new SqlError('42P07', `relation "${to}_pkey" already exists`);
}

/** How a relation gets another name, or another schema. */
interface NameChange {
  /** At a place of a view's query that names the relation. */
  edit(query: SelectNode, place: NamePlace, tokens: Token[]): void;
  /** In the catalog. */
  change(): void;
  undo(): void;
  /** What is said of a view that cannot be read then. */
  refused(view: ReadingView): string;
}

/** Makes a change to a relation's name, and to the views that name it; 0A000, and nothing is done, when one of them cannot be bound afterwards. */
export function changeReaders(
  engine: TidemarkEngine,
  object: CatalogObject,
  session: SessionContext,
  { edit, change, undo, refused }: NameChange,
): void {
  const readers = readersOf(engine, object);
  const before = readers.map(({ query }) => query);
  const changed = readers.map((view) => {
    const query = structuredClone(view.query);
    const places = namePlaces(engine, view, query, session, ({ oid }) => oid === object.oid);
    for (const place of places) edit(query, place, scanPostgres(query.text));
    return query;
  });
  const checkFunctions = boundFunctions(engine, session);
  change();
  // All of them first: one may be read through another.
  readers.forEach((view, i) => void setQuery(view, changed[i]));
  try {
    for (const view of readers) check(engine, view, refused, session);
    checkFunctions();
  } catch (error) {
    undo();
    readers.forEach((view, i) => void setQuery(view, before[i]));
    throw error;
  }
  for (const view of readers) view.sql = viewText(engine, view, session);
}

function check(
  engine: TidemarkEngine,
  view: ReadingView,
  refused: NameChange['refused'],
  session: SessionContext,
): void {
  try {
    bindViewQuery(engine, view, structuredClone(view.query), session);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new SqlError('0A000', `${refused(view)}: ${error.message}`, {
      hint: 'Drop the view, and make it again afterwards.',
    });
  }
}

function renamePlace(query: SelectNode, place: NamePlace, tokens: Token[], from: string, to: string): void {
  const { node, aliased, inCall } = place;
  const [, name] = nameTokens(tokens, place);
  if (aliased.alias === undefined) {
    aliased.alias = { aliasname: from };
    const { end } = tokens[inCall ? closingBracket(tokens, name) : name];
    editQuery(query, insertion(end, ` AS ${quoteIdent(from)}`));
  }
  node.relname = to;
  editQuery(query, { from: tokens[name].start, to: tokens[name].end, text: quoteIdent(to) });
}

/** Edits the query's text, and moves the places of what comes after that. */
export function editQuery(query: SelectNode, change: Edit): void {
  query.text = edited(query.text, [change]);
  const by = Buffer.byteLength(change.text, 'utf8') - (change.to - change.from);
  walkTree(query.select, (node) => {
    if (typeof node.location === 'number' && node.location > change.from) node.location += by;
  });
}
