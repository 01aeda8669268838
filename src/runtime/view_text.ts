/**
 * The text of a view for those who look at it, when columns of what it reads have other names than when it was written, or are more:
 *
 *   SELECT a FROM t          ->  SELECT a FROM t AS t(a)                          t.a is called b now
 *   SELECT * FROM t          ->  SELECT * FROM (SELECT b AS a FROM t) AS t        ... and t has more columns
 *   CREATE VIEW v AS query   ->  CREATE VIEW v AS SELECT * FROM (query) AS v(x)   its own columns were given other names
 *
 * The view itself is bound with the columns that it saw (SelectNode.seen). A text is shown when it means the same without them: the first that does, the
 * query's own included. Cost: one plan for each text that is tried.
 */
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { presentColumns, type Relation } from '../../planner/catalog_reader.ts';
import type { BoundQuery } from '../../planner/logical/plan.ts';
import type { SeenRelation, SelectNode } from '../../planner/parse/ast.ts';
import { parse } from '../../planner/parse/parse.ts';
import { scanPostgres, type Token } from '../../planner/parse/pg_parser.ts';
import { nodeKeys, planQuery } from '../../planner/physical/index.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { closingBracket, type Edit, edited, insertion } from './text_edits.ts';
import { bindViewQuery, type NamePlace, namePlaces, nameTokens, orNull, type ReadingView } from './view_query.ts';

export function viewText(engine: TidemarkEngine, view: ReadingView, session: SessionContext): string {
  const { query } = view;
  const bound = orNull(() => bindViewQuery(engine, view, query, session));
  if (bound === null) return view.sql;
  const text = query.seen === undefined ? query.text : meantText(engine, view, bound, session);
  const names = bound.columns.map(({ col }) => col.name);
  const own = view.relation.columns.map(({ name }) => name);
  return own.every((name, i) => name === names[i]) ? text : withOwnNames(view, text, own);
}

function meantText(engine: TidemarkEngine, view: ReadingView, bound: BoundQuery, session: SessionContext): string {
  const { text } = view.query;
  const wanted = meaningOf(view, bound);
  const means = (tried: string) => wanted !== null && textMeaning(engine, view, tried, session) === wanted;
  for (const edit of [unchanged, aliased, wrapped]) {
    const tried = editedPlaces(engine, view, session, edit);
    if (means(tried)) return tried;
  }
  return text;
}

/** Equal for queries that give the same columns from the same plan; null where it cannot be told. */
export function meaningOf(view: ReadingView, bound: BoundQuery): string | null {
  return orNull(() => {
    const { plan, columns, order } = planQuery(bound, { mode: view.kind === 'view' ? 'read' : 'view' });
    const names = columns.map(({ name }) => name);
    return JSON.stringify([nodeKeys(plan)[plan.root], names, order]);
  });
}

function textMeaning(engine: TidemarkEngine, view: ReadingView, text: string, session: SessionContext): string | null {
  return orNull(() => {
    const [statement] = parse(text);
    if (statement.k !== 'create_view') return null;
    return meaningOf(view, bindViewQuery(engine, view, statement.query, session));
  });
}

type EditPlace = (tokens: Token[], place: NamePlace, seen: SeenRelation) => Edit[];

/** The query's text with edits at each place that names a relation which it saw otherwise. */
function editedPlaces(engine: TidemarkEngine, view: ReadingView, session: SessionContext, edit: EditPlace): string {
  const query: SelectNode = structuredClone(view.query);
  const seen = (relation: Relation) => query.seen?.find((other) => other.relation === relation.oid);
  const tokens = scanPostgres(query.text);
  const places = namePlaces(engine, view, query, session, (relation) => seen(relation) !== undefined);
  const edits = places.flatMap((place) => edit(tokens, place, seen(place.relation) as SeenRelation));
  return edited(query.text, edits);
}

const unchanged = (): Edit[] => [];

function aliased(tokens: Token[], place: NamePlace, { columns }: SeenRelation): Edit[] {
  const [, last] = nameTokens(tokens, place);
  const names = presentColumns(place.relation).map(({ name, position }) => {
    return { name, seen: columns.find((column) => column.position === position)?.name ?? name };
  });
  const count = names.findLastIndex(({ name, seen }) => name !== seen) + 1;
  const list = `(${names
    .slice(0, count)
    .map(({ seen }) => quoteIdent(seen))
    .join(', ')})`;
  const { alias } = place.aliased;
  if (place.inCall || alias?.colnames !== undefined || count === 0) return [];
  if (alias === undefined) return [insertion(tokens[last].end, ` AS ${quoteIdent(place.node.relname)}${list}`)];
  return [insertion(tokens[last + (tokens[last + 1].text.toLowerCase() === 'as' ? 2 : 1)].end, list)];
}

function wrapped(tokens: Token[], place: NamePlace, { columns }: SeenRelation): Edit[] {
  const [first, last] = nameTokens(tokens, place);
  const items = columns.flatMap(({ name, position }) => {
    const { name: now, dropped } = place.relation.columns[position];
    if (dropped) return [];
    return [name === now ? quoteIdent(name) : `${quoteIdent(now)} AS ${quoteIdent(name)}`];
  });
  const name = tokens
    .slice(first, last + 1)
    .map(({ text }) => text)
    .join('');
  const { start } = tokens[first];
  const { end } = tokens[last];
  const query = { from: start, to: end, text: `(SELECT ${items.join(', ')} FROM ${name})` };
  if (place.aliased.alias !== undefined) return [query];
  const after = place.inCall ? tokens[closingBracket(tokens, last)].end : end;
  return [insertion(after, ` AS ${quoteIdent(place.node.relname)}`), query];
}

/** Outside of the query its columns get the view's names. */
function withOwnNames(view: ReadingView, text: string, names: string[]): string {
  const { start, query } = queryPart(text);
  const before = Buffer.from(text, 'utf8').subarray(0, start).toString('utf8');
  const alias = `${quoteIdent(view.name)}(${names.map(quoteIdent).join(', ')})`;
  return `${before} SELECT * FROM (${query}) AS ${alias}`;
}

/** The query of a CREATE VIEW, and where it begins in bytes: after the first AS outside of brackets. WITH [NO] DATA behind it is none of it. */
export function queryPart(sql: string): { start: number; query: string } {
  const tokens = scanPostgres(sql);
  const words = tokens.map(({ text }) => text.toLowerCase());
  let depth = 0;
  const as = words.findIndex((word) => {
    if (word === '(') depth++;
    if (word === ')') depth--;
    return depth === 0 && word === 'as';
  });
  let last = tokens.length - 1;
  if (words[last] === ';') last--;
  if (words[last] === 'data') {
    const before = words[last - 1] === 'no' ? last - 2 : last - 1;
    // An alias cannot stand behind WITH.
    if (words[before] === 'with') last = before - 1;
  }
  const bytes = Buffer.from(sql, 'utf8');
  const start = as < 0 ? bytes.length : tokens[as].end;
  const query = last <= as ? '' : bytes.subarray(start, tokens[last].end).toString('utf8').trim();
  return { start, query };
}
