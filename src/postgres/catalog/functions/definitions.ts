/** Definitions as SQL text: pg_get_viewdef, pg_get_indexdef, pg_get_constraintdef, pg_get_expr, pg_get_ruledef. */
import type { Datum } from '../../../../operators/datum.ts';
import { SqlError } from '../../../../operators/errors.ts';
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import { scanPostgres } from '../../../../planner/parse/pg_parser.ts';
import { orNull } from '../../../runtime/view_query.ts';
import type { Moment } from '../catalog_relation.ts';
import { checkDefinition } from '../check_text.ts';
import type { ConstraintFacts } from '../constraints.ts';
import { indexDefinition, viewDefinitionFor } from '../definitions.ts';
import { domainConstraints } from '../domains.ts';
import type { IndexFacts, RelationFacts } from '../facts.ts';
import { ACTIONS } from '../foreign_key_words.ts';
import { withTypeSchemas } from '../type_places.ts';
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
function indexText(args: Datum[], { facts, context }: Moment): Datum {
  const index = facts.index(numberOf(args[0]));
  if (index === undefined) return null;
  const column = numberOf(args[1]);
  if (column === 0) {
    const { searchPath } = context;
    const pretty = args[2] === true ? shownName(facts, index.table, searchPath) : null;
    return indexDefinition(index, pretty, (text) => withTypeSchemas(text, facts, searchPath));
  }
  const key = [...index.keys, ...index.include][column - 1];
  return key === undefined ? '' : args[2] === true ? key.pretty : key.text;
}

/** As pg_get_constraintdef gives it. */
function foreignKeyText(
  { table: r, key, references: other }: Extract<ConstraintFacts, { type: 'f' }>,
  { facts, context }: Moment,
): string {
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
  const oid = numberOf(arg);
  const constraint = moment.facts.constraints.find((other) => other.oid === oid);
  switch (constraint?.type) {
    case 'p':
      return `PRIMARY KEY (${columnList(constraint.index)})`;
    case 'u':
      return `UNIQUE ${constraint.index.nullsEqual ? 'NULLS NOT DISTINCT ' : ''}(${columnList(constraint.index)})`;
    case 'n':
      return `NOT NULL ${quoteIdent(constraint.table.relation.columns[constraint.columns[0]].name)}`;
    case 'c':
      return withCheckTypes(constraint.check, pretty === true, moment);
    case 'f':
      return foreignKeyText(constraint, moment);
    default: {
      const own = domainConstraints(moment.facts).find((other) => other.oid === oid);
      if (own?.check === null) return 'NOT NULL';
      return own === undefined ? null : withCheckTypes({ ...own.check, noInherit: false }, pretty === true, moment);
    }
  }
}

function withCheckTypes(
  check: Parameters<typeof checkDefinition>[0],
  pretty: boolean,
  { facts, context }: Moment,
): string {
  return checkDefinition({ ...check, text: withTypeSchemas(check.text, facts, context.searchPath) }, pretty);
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
  pg_get_expr: ([expression, , pretty], { facts, context }) => {
    if (typeof expression !== 'string') return expression;
    return withTypeSchemas(pretty === true ? withoutBrackets(expression) : expression, facts, context.searchPath);
  },
  pg_get_ruledef: () => null,
  pg_get_triggerdef: () => null,
  pg_get_partkeydef: () => null,
  pg_get_partition_constraintdef: () => null,
  pg_get_statisticsobjdef: () => null,
  pg_get_statisticsobjdef_columns: () => null,
  pg_get_statisticsobjdef_expressions: () => null,
  pg_get_replica_identity_index: ([oid], { facts }) =>
    facts.indexes.find((i) => i.primary && i.table.oid === oid)?.oid ?? null,
};
