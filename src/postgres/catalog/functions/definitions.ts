/** Definitions as SQL text: pg_get_viewdef, pg_get_indexdef, pg_get_constraintdef, pg_get_expr, pg_get_ruledef. */
import type { Datum } from '../../../../operators/datum.ts';
import { SqlError } from '../../../../operators/errors.ts';
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import { scanPostgres } from '../../../../planner/parse/pg_parser.ts';
import type { ForeignKey } from '../../../catalog/objects.ts';
import { orNull } from '../../../runtime/view_query.ts';
import type { Moment } from '../catalog_relation.ts';
import { checkDefinition } from '../check_text.ts';
import { indexDefinition, viewDefinitionFor } from '../definitions.ts';
import type { IndexFacts, RelationFacts } from '../facts.ts';
import { ACTIONS } from '../foreign_key_words.ts';
import { checkOid, notNullOid } from '../oids.ts';
import { type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';
import { findRelation, qualified, shownName } from './names.ts';

function viewByOid(oid: number, moment: Moment): Datum {
  const relation = moment.facts.relation(oid);
  return relation === undefined ? null : viewDefinitionFor(relation, moment.facts, moment.context.searchPath);
}

function viewByName(text: string, moment: Moment): Datum {
  const { schema, name } = qualified(text, moment);
  const found = findRelation(moment.facts, schema, name, moment.context.searchPath);
  if (found === undefined) throw new SqlError('42P01', `relation "${text}" does not exist`);
  return 'table' in found ? null : viewDefinitionFor(found, moment.facts, moment.context.searchPath);
}

function columnList(index: IndexFacts): string {
  return index.columns.map((c) => quoteIdent(index.table.relation.columns[c].name)).join(', ');
}

/** The whole statement, or one column (from 1) of it. */
function indexText(args: Datum[], { facts }: Moment): Datum {
  const index = facts.index(numberOf(args[0]));
  if (index === undefined) return null;
  const column = numberOf(args[1]);
  if (column === 0) return indexDefinition(index);
  const position = index.columns[column - 1];
  return position === undefined ? '' : quoteIdent(index.table.relation.columns[position].name);
}

/** As pg_get_constraintdef gives it. */
function foreignKeyText(r: RelationFacts, key: ForeignKey, { facts, context }: Moment): string {
  const other = facts.relation(key.references) as RelationFacts;
  const list = (of: RelationFacts, columns: number[]) =>
    columns.map((c) => quoteIdent(of.relation.columns[c].name)).join(', ');
  const name = shownName(facts, other, context.searchPath);
  const some = key.setColumns.length < key.columns.length ? ` (${list(r, key.setColumns)})` : '';
  return [
    `FOREIGN KEY (${list(r, key.columns)}) REFERENCES ${name}(${list(other, key.referenced)})`,
    key.full ? ' MATCH FULL' : '',
    key.onUpdate === 'a' ? '' : ` ON UPDATE ${ACTIONS[key.onUpdate]}`,
    key.onDelete === 'a' ? '' : ` ON DELETE ${ACTIONS[key.onDelete]}${some}`,
    key.deferrable ? ' DEFERRABLE' : '',
    key.initiallyDeferred ? ' INITIALLY DEFERRED' : '',
    key.valid ? '' : ' NOT VALID',
  ].join('');
}

function constraintText([arg, pretty = false]: Datum[], moment: Moment): Datum {
  const { facts } = moment;
  const oid = numberOf(arg);
  const key = facts.indexes.find((i) => i.constraint === oid);
  if (key !== undefined) return `${key.primary ? 'PRIMARY KEY' : 'UNIQUE'} (${columnList(key)})`;
  for (const r of facts.own) {
    const column = r.relation.columns.find((c, i) => c.notNull && notNullOid(r.oid, i + 1) === oid);
    const check = r.checks.find(({ number }) => checkOid(r.oid, number) === oid);
    const foreign = r.foreignKeys.find(({ number }) => checkOid(r.oid, number) === oid);
    if (foreign !== undefined) return foreignKeyText(r, foreign, moment);
    if (check !== undefined) return checkDefinition(check, pretty === true);
    if (column !== undefined) return `NOT NULL ${quoteIdent(column.name)}`;
  }
  return null;
}

/** An expression without brackets around all of it. */
function withoutBrackets(text: string): string {
  const tokens = orNull(() => scanPostgres(text)) ?? [];
  if (tokens.at(0)?.text !== '(') return text;
  let depth = 0;
  const end = tokens.findIndex((token) => {
    if (token.text === '(') depth++;
    return token.text === ')' && --depth === 0;
  });
  return end === tokens.length - 1 ? text.slice(1, -1) : text;
}

export const DEFINITION_FUNCTIONS: CatalogFunctions = {
  pg_get_viewdef: ([view], moment) =>
    typeof view === 'number' ? viewByOid(view, moment) : viewByName(textOf(view), moment),
  pg_get_indexdef: indexText,
  pg_get_constraintdef: constraintText,
  // Expressions are kept as SQL (pg_attrdef.adbin).
  pg_get_expr: ([expression, , pretty]) =>
    pretty === true && typeof expression === 'string' ? withoutBrackets(expression) : expression,
  pg_get_ruledef: () => null,
  pg_get_triggerdef: () => null,
  pg_get_functiondef: () => null,
  pg_get_function_sqlbody: () => null,
  pg_get_partkeydef: () => null,
  pg_get_partition_constraintdef: () => null,
  pg_get_statisticsobjdef: () => null,
  pg_get_statisticsobjdef_columns: () => null,
  pg_get_statisticsobjdef_expressions: () => null,
  pg_get_replica_identity_index: ([oid], { facts }) =>
    facts.indexes.find((i) => i.primary && i.table.oid === oid)?.oid ?? null,
};
