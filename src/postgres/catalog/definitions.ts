/** SQL texts of views and indexes, as the catalog relations and the pg_get_*def functions show them. */
import { quoteIdent } from '../../../operators/expr/text/quote.ts';
import { queryStart } from '../../runtime/view_text.ts';
import type { IndexFacts, RelationFacts } from './facts.ts';

/** The query of a view as its creator wrote it, with a semicolon; empty for what is no view or has no text. */
export function viewDefinition(relation: RelationFacts): string {
  const { object } = relation;
  if (object === null || (object.kind !== 'view' && object.kind !== 'materialized_view')) return '';
  return ` ${queryText(object.sql)};`;
}

/** CREATE ... name [(columns)] [WITH (...)] AS query. */
function queryText(sql: string): string {
  const query = Buffer.from(sql, 'utf8').subarray(queryStart(sql)).toString('utf8');
  return query.trim().replace(/;$/, '').trimEnd();
}

/** CREATE INDEX as PostgreSQL prints it. */
export function indexDefinition(index: IndexFacts): string {
  const { table } = index;
  const columns = index.columns.map((c) => quoteIdent(table.relation.columns[c].name)).join(', ');
  const on = `${quoteIdent(table.schema.name)}.${quoteIdent(table.name)}`;
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdent(index.name)} ON ${on} USING btree (${columns})`;
}
