/** pg_constraint: PRIMARY KEY (p), UNIQUE (u), NOT NULL (n), CHECK (c) and FOREIGN KEY (f), the constraints that the engine has. `conbin` holds the condition as SQL. */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { hasColumns } from '../../../planner/catalog_reader.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import type { ForeignKey } from '../../catalog/objects.ts';
import { type CatalogRow, ofCatalog } from './catalog_relation.ts';
import { writtenExpression } from './check_text.ts';
import type { ConstraintFacts } from './constraints.ts';
import { type DomainConstraintFacts, domainConstraints } from './domains.ts';
import type { IndexFacts, RelationFacts } from './facts.ts';

const COMMON: CatalogRow = {
  condeferrable: false,
  condeferred: false,
  conenforced: true,
  convalidated: true,
  contypid: 0,
  conindid: 0,
  conparentid: 0,
  confrelid: 0,
  confupdtype: ' ',
  confdeltype: ' ',
  confmatchtype: ' ',
  conislocal: true,
  coninhcount: 0,
  connoinherit: false,
  conperiod: false,
};

function constraintRow(constraint: ConstraintFacts): CatalogRow {
  const { oid, name, table, columns, type } = constraint;
  return {
    ...COMMON,
    oid,
    conname: name,
    connamespace: table.schema.oid,
    contype: type,
    conrelid: table.oid,
    conkey: columns.length === 0 ? null : attnums(columns),
    ...ownColumns(constraint),
  };
}

function attnums(columns: number[]): Datum {
  return pgArray(
    OID.int2,
    columns.map((c) => c + 1),
  );
}

/** What constraints of its kind alone have. */
function ownColumns(constraint: ConstraintFacts): CatalogRow {
  switch (constraint.type) {
    case 'p':
    case 'u':
      return { conindid: constraint.index.oid, connoinherit: true };
    case 'n':
      return {};
    case 'c': {
      const { check } = constraint;
      return { convalidated: check.valid, connoinherit: check.noInherit, conbin: writtenExpression(check) };
    }
    case 'f':
      return foreignKeyColumns(constraint.key, constraint.table, constraint.references);
  }
}

function foreignKeyColumns(key: ForeignKey, r: RelationFacts, other: RelationFacts): CatalogRow {
  const operators = (left: RelationFacts, lefts: number[], right: RelationFacts, rights: number[]) =>
    pgArray(
      OID.oid,
      lefts.map((c, i) => equality(left.relation.columns[c].type.oid, right.relation.columns[rights[i]].type.oid)),
    );
  const some = key.setColumns.length < key.columns.length;
  return {
    condeferrable: key.deferrable,
    condeferred: key.initiallyDeferred,
    convalidated: key.valid,
    conindid: indexOfKey(other, key)?.oid ?? 0,
    confrelid: key.references,
    confupdtype: key.onUpdate,
    confdeltype: key.onDelete,
    confmatchtype: key.full ? 'f' : 's',
    connoinherit: true,
    confkey: attnums(key.referenced),
    conpfeqop: operators(other, key.referenced, r, key.columns),
    conppeqop: operators(other, key.referenced, other, key.referenced),
    conffeqop: operators(r, key.columns, r, key.columns),
    confdelsetcols: some ? attnums(key.setColumns) : null,
  };
}

/** OID of the operator = of two types; 0 when there is none. */
function equality(left: number, right: number): number {
  const operators = systemTable('pg_operator');
  const typeOf = (oid: number) => (oid === OID.varchar ? OID.text : oid);
  for (let i = 0; i < operators.rowCount; i++) {
    if (operators.text(i, 'oprname') !== '=' || operators.number(i, 'oprleft') !== typeOf(left)) continue;
    if (operators.number(i, 'oprright') === typeOf(right)) return operators.number(i, 'oid');
  }
  return 0;
}

/** The index of the key that a foreign key references. */
export function indexOfKey(table: RelationFacts, { referenced }: ForeignKey): IndexFacts | undefined {
  return table.indexes.find((index) => index.unique && index.computed === null && hasColumns(index, referenced));
}

function domainRow({ oid, name, object, check }: DomainConstraintFacts): CatalogRow {
  return {
    ...COMMON,
    oid,
    conname: name,
    connamespace: object.type.namespace,
    contype: check === null ? 'n' : 'c',
    conrelid: 0,
    contypid: object.type.oid,
    conkey: null,
    ...(check === null ? {} : { convalidated: check.valid, conbin: writtenExpression(check) }),
  };
}

export const PG_CONSTRAINT = ofCatalog((facts) => [
  ...facts.constraints.map(constraintRow),
  ...domainConstraints(facts).map(domainRow),
]);
