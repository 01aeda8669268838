/** table_constraints, key_column_usage, constraint_column_usage, constraint_table_usage, check_constraints. */
import { columnsOf } from '../../../runtime/row_expression.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import { writtenExpression } from '../check_text.ts';
import type { CatalogFacts, RelationFacts } from '../facts.ts';
import { notNullName } from '../pg_constraint.ts';
import { tableName } from './tables.ts';

interface Constraint {
  name: string;
  table: RelationFacts;
  /** Column positions. */
  columns: number[];
  /** To the standard NOT NULL is a CHECK; its condition. */
  clause?: string;
  type: 'PRIMARY KEY' | 'UNIQUE' | 'CHECK';
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
  return [...keys, ...notNulls, ...checks];
}

function constraintName(c: Constraint, database: string): CatalogRow {
  return { constraint_catalog: database, constraint_schema: c.table.schema.name, constraint_name: c.name };
}

export const CONSTRAINTS: Record<string, CatalogRelation> = {
  table_constraints: ofCatalog((facts, { database }) =>
    constraints(facts).map((c) => ({
      ...constraintName(c, database),
      ...tableName(c.table, database),
      constraint_type: c.type,
      is_deferrable: 'NO',
      initially_deferred: 'NO',
      enforced: 'YES',
    })),
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
        })),
      ),
  ),
  constraint_column_usage: ofCatalog((facts, { database }) =>
    constraints(facts).flatMap((c) =>
      c.columns.map((column) => ({
        ...tableName(c.table, database),
        column_name: c.table.relation.columns[column].name,
        ...constraintName(c, database),
      })),
    ),
  ),
  constraint_table_usage: ofCatalog((facts, { database }) =>
    constraints(facts)
      .filter((c) => c.type !== 'CHECK')
      .map((c) => ({ ...tableName(c.table, database), ...constraintName(c, database) })),
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
