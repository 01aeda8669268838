/** SQL texts of views and indexes, as the catalog relations and the pg_get_*def functions show them. */
import { quoteIdent, quoteLiteral } from '../../../operators/expr/text/quote.ts';
import { parse } from '../../../planner/parse/parse.ts';
import type { KeyWords } from '../../catalog/objects.ts';
import { localSession } from '../../runtime/local_session.ts';
import { edited, insertion } from '../../runtime/text_edits.ts';
import { namePlaces, orNull } from '../../runtime/view_query.ts';
import { queryPart } from '../../runtime/view_text.ts';
import { writtenExpression } from './check_text.ts';
import type { CatalogFacts, IndexFacts, RelationFacts } from './facts.ts';
import { isVisible } from './functions/names.ts';
import { typeEdits } from './type_places.ts';

/** The query of a view as its creator wrote it, with a semicolon; empty for what is no view or has no text. */
export function viewDefinition(relation: RelationFacts): string {
  const { object } = relation;
  if (object === null || (object.kind !== 'view' && object.kind !== 'materialized_view')) return '';
  return ` ${queryPart(object.sql).query};`;
}

/** The same for a search path: names of relations that it does not find have their schema before them. */
export function viewDefinitionFor(relation: RelationFacts, facts: CatalogFacts, path: string[]): string {
  const { object } = relation;
  if (object === null || (object.kind !== 'view' && object.kind !== 'materialized_view')) return '';
  const isFound = (oid: number) => {
    const named = facts.relation(oid);
    if (named !== undefined) return isVisible(facts, named, path);
    const type = facts.engine.catalog.get(oid);
    return (type?.kind !== 'type' && type?.kind !== 'function') || path.includes(type.schema);
  };
  if (object.dependencies.every(isFound)) return viewDefinition(relation);
  const { engine } = facts;
  const qualified = orNull(() => {
    const [statement] = parse(object.sql);
    if (statement.k !== 'create_view') return null;
    const places = namePlaces(engine, object, statement.query, localSession(engine), ({ oid }) => !isFound(oid));
    const edits = places.flatMap(({ node, relation: { schema } }) => {
      return node.schemaname === undefined ? [insertion(node.location, `${quoteIdent(schema)}.`)] : [];
    });
    return edited(object.sql, [...edits, ...typeEdits(statement.query.select, facts, path)]);
  });
  return ` ${queryPart(qualified ?? object.sql).query};`;
}

/** CREATE INDEX as PostgreSQL prints it, but expressions as they were written; `pretty`: the name of the table, for a text with as few brackets as will do. */
export function indexDefinition(
  index: IndexFacts,
  pretty: string | null = null,
  shown: (expression: string) => string = (text) => text,
): string {
  const { table, keys, words, include, method, options, computed } = index;
  const expression = computed === null ? (text: string) => text : shown;
  const columns = keys
    .map((key, i) => `${expression(pretty === null ? key.text : key.pretty)}${wordsText(words[i])}`)
    .join(', ');
  const included = include.length === 0 ? '' : ` INCLUDE (${include.map(({ text }) => text).join(', ')})`;
  const set = options.map(({ name, value }) => `${quoteIdent(name)}=${isIdent(value) ? value : quoteLiteral(value)}`);
  const storage = set.length === 0 ? '' : ` WITH (${set.join(', ')})`;
  const on = pretty ?? `${quoteIdent(table.schema.name)}.${quoteIdent(table.name)}`;
  const nulls = index.nullsEqual ? ' NULLS NOT DISTINCT' : '';
  const condition = computed?.where ?? null;
  const where =
    condition === null ? '' : ` WHERE ${expression(pretty === null ? writtenExpression(condition) : condition.text)}`;
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdent(index.name)} ON ${on} USING ${quoteIdent(method)} (${columns})${included}${nulls}${storage}${where}`;
}

const isIdent = (text: string) => quoteIdent(text) === text;

function wordsText({ collation, opclass, descending, nullsFirst }: KeyWords): string {
  const nulls = descending === nullsFirst ? '' : nullsFirst ? ' NULLS FIRST' : ' NULLS LAST';
  return [
    collation === null ? '' : ` COLLATE ${quoteIdent(collation)}`,
    opclass === null ? '' : ` ${quoteIdent(opclass)}`,
    descending ? ' DESC' : '',
    nulls,
  ].join('');
}
