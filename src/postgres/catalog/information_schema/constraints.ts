/** table_constraints, referential_constraints, key_column_usage, constraint_column_usage, constraint_table_usage, check_constraints. */
import type { EvalContext } from '../../../../operators/expr/ir.ts';
import { ALL_OF, INSERT, REFERENCES, SELECT, UPDATE } from '../../../catalog/privileges.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import { writtenExpression } from '../check_text.ts';
import type { ConstraintFacts } from '../constraints.ts';
import { domainConstraints } from '../domains.ts';
import type { CatalogFacts, RelationFacts } from '../facts.ts';
import { ACTIONS } from '../foreign_key_words.ts';
import { indexOfKey } from '../pg_constraint.ts';
import { knownTo } from './known.ts';
import { tableName } from './tables.ts';
import { yesNo } from './yes_no.ts';

/** To the standard NOT NULL is a CHECK. */
const TYPES: Record<ConstraintFacts['type'], string> = {
  p: 'PRIMARY KEY',
  u: 'UNIQUE',
  n: 'CHECK',
  c: 'CHECK',
  f: 'FOREIGN KEY',
};

const isCheck = ({ type }: ConstraintFacts): boolean => TYPES[type] === 'CHECK';

function constraintName(c: ConstraintFacts, database: string): CatalogRow {
  return { constraint_catalog: database, constraint_schema: c.table.schema.name, constraint_name: c.name };
}

/** What a constraint is over; of a foreign key what it references. */
function usedOf(c: ConstraintFacts): { table: RelationFacts; columns: number[] } {
  return c.type === 'f' ? { table: c.references, columns: c.key.referenced } : c;
}

/** Which column of the key one of a foreign key references, from 1. */
function placeInKey({ key, references }: Extract<ConstraintFacts, { type: 'f' }>, i: number): number | null {
  const place = indexOfKey(references, key)?.columns.indexOf(key.referenced[i]);
  return place === undefined ? null : place + 1;
}

function clauseOf(c: ConstraintFacts): string | null {
  if (c.type === 'c') return writtenExpression(c.check);
  return `${c.table.relation.columns[c.columns[0]].name} IS NOT NULL`;
}

const CHANGES = ALL_OF.table & ~SELECT;

/** Those of tables that the session owns or has one of these privileges on. */
function listed(facts: CatalogFacts, context: EvalContext, privileges: number): ConstraintFacts[] {
  const known = knownTo(facts, context);
  return facts.constraints.filter((c) => known.relation(c.table, privileges));
}

/** Those that are over a table of the session's own. */
function overOwn(facts: CatalogFacts, context: EvalContext): ConstraintFacts[] {
  const known = knownTo(facts, context);
  return facts.constraints.filter((c) => known.owns(usedOf(c).table.owner));
}

export const CONSTRAINTS: Record<string, CatalogRelation> = {
  table_constraints: ofCatalog((facts, context) =>
    listed(facts, context, CHANGES).map((c) => ({
      ...constraintName(c, context.database),
      ...tableName(c.table, context.database),
      constraint_type: TYPES[c.type],
      is_deferrable: yesNo(c.type === 'f' && c.key.deferrable),
      initially_deferred: yesNo(c.type === 'f' && c.key.initiallyDeferred),
      enforced: 'YES',
    })),
  ),
  referential_constraints: ofCatalog((facts, context) =>
    listed(facts, context, CHANGES).flatMap((c) => {
      if (c.type !== 'f') return [];
      const { key, references } = c;
      return [
        {
          ...constraintName(c, context.database),
          unique_constraint_catalog: context.database,
          unique_constraint_schema: references.schema.name,
          unique_constraint_name: indexOfKey(references, key)?.name ?? null,
          match_option: key.full ? 'FULL' : 'NONE',
          update_rule: ACTIONS[key.onUpdate],
          delete_rule: ACTIONS[key.onDelete],
        },
      ];
    }),
  ),
  key_column_usage: ofCatalog((facts, context) =>
    listed(facts, context, SELECT | INSERT | UPDATE | REFERENCES)
      .filter((c) => !isCheck(c))
      .flatMap((c) =>
        c.columns.map((column, i) => ({
          ...constraintName(c, context.database),
          ...tableName(c.table, context.database),
          column_name: c.table.relation.columns[column].name,
          ordinal_position: i + 1,
          position_in_unique_constraint: c.type === 'f' ? placeInKey(c, i) : null,
        })),
      ),
  ),
  constraint_column_usage: ofCatalog((facts, context) =>
    overOwn(facts, context).flatMap((c) =>
      usedOf(c).columns.map((column) => ({
        ...tableName(usedOf(c).table, context.database),
        column_name: usedOf(c).table.relation.columns[column].name,
        ...constraintName(c, context.database),
      })),
    ),
  ),
  constraint_table_usage: ofCatalog((facts, context) =>
    overOwn(facts, context)
      .filter((c) => !isCheck(c))
      .map((c) => ({ ...tableName(usedOf(c).table, context.database), ...constraintName(c, context.database) })),
  ),
  check_constraints: ofCatalog((facts, context) => {
    const { database } = context;
    const known = knownTo(facts, context);
    return [
      ...facts.constraints
        .filter((c) => isCheck(c) && known.owns(c.table.owner))
        .map((c) => ({ ...constraintName(c, database), check_clause: clauseOf(c) })),
      ...domainConstraints(facts)
        .filter(({ object }) => known.object(object, 0))
        .map(({ name, object, check }) => ({
          constraint_catalog: database,
          constraint_schema: object.schema,
          constraint_name: name,
          check_clause: check === null ? 'VALUE IS NOT NULL' : writtenExpression(check),
        })),
    ];
  }),
};
