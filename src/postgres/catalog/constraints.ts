/** The constraints that the engine has, of all kinds: what pg_constraint, information_schema and pg_get_constraintdef show. */
import type { CheckConstraint, ForeignKey } from '../../catalog/objects.ts';
import { columnsOf } from '../../runtime/row_expression.ts';
import type { CatalogFacts, IndexFacts, RelationFacts } from './facts.ts';
import { checkOid, notNullOid } from './oids.ts';

/** The types are those of pg_constraint.contype. */
export type ConstraintFacts = {
  oid: number;
  name: string;
  table: RelationFacts;
  /** Positions in the table. */
  columns: number[];
} & (
  | { type: 'p' | 'u'; index: IndexFacts }
  | { type: 'n' }
  | { type: 'c'; check: CheckConstraint }
  | { type: 'f'; key: ForeignKey; references: RelationFacts }
);

export function constraintsOf(facts: CatalogFacts): ConstraintFacts[] {
  return [
    ...facts.indexes.flatMap(ofIndex),
    ...facts.own.flatMap(notNulls),
    ...facts.own.flatMap(checks),
    ...facts.own.flatMap((table) => foreignKeys(table, facts)),
  ];
}

function ofIndex(index: IndexFacts): ConstraintFacts[] {
  const { constraint: oid, name, table, columns, primary } = index;
  return oid === null ? [] : [{ oid, name, table, columns, type: primary ? 'p' : 'u', index }];
}

/** With the names that PostgreSQL would give them. */
function notNulls(table: RelationFacts): ConstraintFacts[] {
  if (table.relkind !== 'r') return [];
  return table.relation.columns.flatMap(({ name, notNull }, i): ConstraintFacts[] => {
    if (!notNull) return [];
    return [
      { oid: notNullOid(table.oid, i + 1), name: `${table.name}_${name}_not_null`, table, columns: [i], type: 'n' },
    ];
  });
}

function checks(table: RelationFacts): ConstraintFacts[] {
  return table.checks.map((check) => {
    const oid = checkOid(table.oid, check.number);
    return { oid, name: check.name, table, columns: columnsOf(check.expr), type: 'c', check };
  });
}

function foreignKeys(table: RelationFacts, facts: CatalogFacts): ConstraintFacts[] {
  return table.foreignKeys.map((key) => {
    const references = facts.relation(key.references) as RelationFacts;
    const oid = checkOid(table.oid, key.number);
    return { oid, name: key.name, table, columns: key.columns, type: 'f', key, references };
  });
}
