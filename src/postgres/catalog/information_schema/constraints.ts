/** table_constraints, referential_constraints, key_column_usage, constraint_column_usage, constraint_table_usage, check_constraints. */
import type { ForeignKey } from '../../../catalog/objects.ts';
import { columnsOf } from '../../../runtime/row_expression.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import { writtenExpression } from '../check_text.ts';
import type { CatalogFacts, RelationFacts } from '../facts.ts';
import { ACTIONS } from '../foreign_key_words.ts';
import { indexOfKey, notNullName } from '../pg_constraint.ts';
import { tableName } from './tables.ts';
import { yesNo } from './yes_no.ts';

interface Constraint {
  name: string;
  table: RelationFacts;
  /** Column positions. */
  columns: number[];
  /** To the standard NOT NULL is a CHECK; its condition. */
  clause?: string;
  type: 'PRIMARY KEY' | 'UNIQUE' | 'CHECK' | 'FOREIGN KEY';
  /** Of a foreign key, with the table that it references. */
  foreign?: { key: ForeignKey; table: RelationFacts };
}

function constraints(facts: CatalogFacts): Constraint[] {
  const keys = facts.indexes.flatMap((index): Constraint[] =>
    index.constraint === null ? [] : [{ ...index, type: index.primary ? 'PRIMARY KEY' : 'UNIQUE' }],
  );
  const notNulls = facts.own.flatMap((table): Constraint[] =>
    table.relkind !== 'r'
      ? []
      : table.relation.columns.flatMap((column, i): Constraint[] =>
          column.notNull
            ? [
                {
                  name: notNullName(table, column.name),
                  table,
                  columns: [i],
                  type: 'CHECK',
                  clause: `${column.name} IS NOT NULL`,
                },
              ]
            : [],
        ),
  );
  const checks = facts.own.flatMap((table) =>
    table.checks.map((check): Constraint => {
      const columns = columnsOf(check.expr);
      return { name: check.name, table, columns, type: 'CHECK', clause: writtenExpression(check) };
    }),
  );
  const foreign = facts.own.flatMap((table) =>
    table.foreignKeys.map((key): Constraint => {
      const other = facts.relation(key.references) as RelationFacts;
      return { name: key.name, table, columns: key.columns, type: 'FOREIGN KEY', foreign: { key, table: other } };
    }),
  );
  return [...keys, ...notNulls, ...checks, ...foreign];
}

function constraintName(c: Constraint, database: string): CatalogRow {
  return { constraint_catalog: database, constraint_schema: c.table.schema.name, constraint_name: c.name };
}

/** What a constraint is over; of a foreign key what it references. */
function usedOf({ table, columns, foreign }: Constraint): { table: RelationFacts; columns: number[] } {
  return foreign === undefined ? { table, columns } : { table: foreign.table, columns: foreign.key.referenced };
}

/** Which column of the key one of a foreign key references, from 1. */
function placeInKey({ key, table }: NonNullable<Constraint['foreign']>, i: number): number | null {
  const place = indexOfKey(table, key)?.columns.indexOf(key.referenced[i]);
  return place === undefined ? null : place + 1;
}

export const CONSTRAINTS: Record<string, CatalogRelation> = {
  table_constraints: ofCatalog((facts, { database }) =>
    constraints(facts).map((c) => ({
      ...constraintName(c, database),
      ...tableName(c.table, database),
      constraint_type: c.type,
      is_deferrable: yesNo(c.foreign?.key.deferrable === true),
      initially_deferred: yesNo(c.foreign?.key.initiallyDeferred === true),
      enforced: 'YES',
    })),
  ),
  referential_constraints: ofCatalog((facts, { database }) =>
    constraints(facts).flatMap((c) => {
      if (c.foreign === undefined) return [];
      const { key, table } = c.foreign;
      return [
        {
          ...constraintName(c, database),
          unique_constraint_catalog: database,
          unique_constraint_schema: table.schema.name,
          unique_constraint_name: indexOfKey(table, key)?.name ?? null,
          match_option: key.full ? 'FULL' : 'NONE',
          update_rule: ACTIONS[key.onUpdate],
          delete_rule: ACTIONS[key.onDelete],
        },
      ];
    }),
  ),
  key_column_usage: ofCatalog((facts, { database }) =>
    constraints(facts)
      .filter((c) => c.type !== 'CHECK')
      .flatMap((c) =>
        c.columns.map((column, i) => ({
          ...constraintName(c, database),
          ...tableName(c.table, database),
          column_name: c.table.relation.columns[column].name,
          ordinal_position: i + 1,
          position_in_unique_constraint: c.foreign === undefined ? null : placeInKey(c.foreign, i),
        })),
      ),
  ),
  constraint_column_usage: ofCatalog((facts, { database }) =>
    constraints(facts).flatMap((c) =>
      usedOf(c).columns.map((column) => ({
        ...tableName(usedOf(c).table, database),
        column_name: usedOf(c).table.relation.columns[column].name,
        ...constraintName(c, database),
      })),
    ),
  ),
  constraint_table_usage: ofCatalog((facts, { database }) =>
    constraints(facts)
      .filter((c) => c.type !== 'CHECK')
      .map((c) => ({ ...tableName(usedOf(c).table, database), ...constraintName(c, database) })),
  ),
  check_constraints: ofCatalog((facts, { database }) =>
    constraints(facts)
      .filter((c) => c.type === 'CHECK')
      .map((c) => ({
        ...constraintName(c, database),
        check_clause: c.clause ?? null,
      })),
  ),
};
