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
import { bindQuery } from '../../planner/bind/index.ts';
import type { PgNode, SelectNode } from '../../planner/parse/ast.ts';
import { scanPostgres } from '../../planner/parse/pg_parser.ts';
import { type CatalogObject, KIND_NAMES, type MaterializedViewObject, type ViewObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

type Reader = ViewObject | MaterializedViewObject;

export function renameObject(engine: TidemarkEngine, object: CatalogObject, to: string, session: SessionContext): void {
  const { catalog } = engine;
  const from = object.name;
  if (object.kind === 'table' && object.relation.key !== null && catalog.find(object.schema, `${to}_pkey`)) {
    throw new SqlError('42P07', `relation "${to}_pkey" already exists`);
  }
  const readers = catalog.objects().filter((other): other is Reader => {
    return (other.kind === 'view' || other.kind === 'materialized_view') && other.dependencies.includes(object.oid);
  });
  const renamed = readers.map((view) => renamedQuery(engine, view, object, to, session));
  catalog.rename(object, to);
  try {
    for (const [i, view] of readers.entries()) check(engine, view, renamed[i], from, session);
  } catch (error) {
    catalog.rename(object, from);
    throw error;
  }
  const running = engine.loop.view(object.oid);
  if (running !== undefined) running.name = to;
  readers.forEach((view, i) => {
    view.query = renamed[i];
    view.sql = renamed[i].text;
    if (view.kind === 'view') view.relation.query = renamed[i];
  });
}

/** Calls `onRelation` for each name of a relation in the view's query, and in the plain views that it reads. */
function bind(
  engine: TidemarkEngine,
  view: Reader,
  query: SelectNode,
  session: SessionContext,
  onRelation?: (node: PgNode, oid: number) => void,
): void {
  // An ALTER has the OID of what it altered, too, which it reads.
  const made = engine.definitions.save().findLast(({ record, reads }) => {
    return record.made === view.oid && !reads.includes(view.oid);
  });
  const searchPath = made?.record.settings.searchPath ?? session.searchPath;
  bindQuery(query, {
    ...engine.bindEnv({ ...session, searchPath }, [], 'read'),
    allowParams: false,
    onRelation: (node, relation) => onRelation?.(node, relation.oid),
  });
}

function check(engine: TidemarkEngine, view: Reader, query: SelectNode, from: string, session: SessionContext): void {
  try {
    bind(engine, view, structuredClone(query), session);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const message = `cannot rename "${from}", as ${KIND_NAMES[view.kind]} "${view.name}" could not be read with the new name: ${error.message}`;
    throw new SqlError('0A000', message, { hint: 'Drop the view, and make it again after the renaming.' });
  }
}

function renamedQuery(
  engine: TidemarkEngine,
  view: Reader,
  object: CatalogObject,
  to: string,
  session: SessionContext,
): SelectNode {
  const query = structuredClone(view.query);
  const named = new Set<PgNode>();
  bind(engine, view, query, session, (node, oid) => {
    if (oid === object.oid) named.add(node);
  });
  const places: Place[] = [];
  walk(query.select, (node) => {
    const call = node.RangeFunction?.functions[0].List?.items[0]?.FuncCall?.args?.[0]?.ColumnRef?.rangeVar;
    if (named.has(call)) places.push({ node: call, aliased: node.RangeFunction, inCall: true });
    if (named.has(node.RangeVar)) places.push({ node: node.RangeVar, aliased: node.RangeVar, inCall: false });
  });
  places.sort((a, b) => b.node.location - a.node.location);
  for (const place of places) renamePlace(query, place, object.name, to);
  return query;
}

interface Place {
  /** The RangeVar that names the relation, and the item of FROM that has or gets the alias. */
  node: PgNode;
  aliased: PgNode;
  /** The name is an argument of TUMBLE and the like. */
  inCall: boolean;
}

function renamePlace(query: SelectNode, { node, aliased, inCall }: Place, from: string, to: string): void {
  const tokens = scanPostgres(query.text);
  const first = tokens.findIndex(({ start }) => start === node.location);
  const name = tokens[first + 1]?.text === '.' ? first + 2 : first;
  if (aliased.alias === undefined) {
    aliased.alias = { aliasname: from };
    insert(query, tokens[inCall ? closing(tokens, name) : name].end, 0, ` AS ${quoteIdent(from)}`);
  }
  node.relname = to;
  insert(query, tokens[name].start, tokens[name].end - tokens[name].start, quoteIdent(to));
}

/** The bracket that closes the call in which the token stands. */
function closing(tokens: { text: string }[], at: number): number {
  for (let i = at, depth = 0; i < tokens.length; i++) {
    if (tokens[i].text === '(') depth++;
    if (tokens[i].text === ')' && depth-- === 0) return i;
  }
  throw new Error('a call without an end');
}

/** Puts a text in place of some bytes of the query's, and moves the places of what comes after them. */
function insert(query: SelectNode, at: number, instead: number, text: string): void {
  const bytes = Buffer.from(query.text, 'utf8');
  const put = Buffer.from(text, 'utf8');
  query.text = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + instead)]).toString('utf8');
  walk(query.select, (node) => {
    if (typeof node.location === 'number' && node.location > at) node.location += put.length - instead;
  });
}

/** All objects of a tree; statements may be deeper than the stack. */
function walk(root: PgNode, visit: (node: PgNode) => void): void {
  const left: PgNode[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    visit(node);
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) left.push(child);
  }
}
