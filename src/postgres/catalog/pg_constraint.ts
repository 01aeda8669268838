/** pg_constraint: PRIMARY KEY (p), UNIQUE (u), NOT NULL (n), CHECK (c) and FOREIGN KEY (f), the constraints that the engine has. `conbin` holds the condition as SQL. */
import { pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { hasColumns } from '../../../planner/catalog_reader.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import type { ForeignKey } from '../../catalog/objects.ts';
import { columnsOf } from '../../runtime/row_expression.ts';
import { type CatalogRow, ofCatalog } from './catalog_relation.ts';
import { writtenExpression } from './check_text.ts';
import type { CatalogFacts, IndexFacts, RelationFacts } from './facts.ts';
import { checkOid, notNullOid } from './oids.ts';

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

function keyConstraint(index: IndexFacts): CatalogRow[] {
  if (index.constraint === null) return [];
  return [
    {
      ...COMMON,
      oid: index.constraint,
      conname: index.name,
      connamespace: index.table.schema.oid,
      contype: index.primary ? 'p' : 'u',
      conrelid: index.table.oid,
      conindid: index.oid,
      connoinherit: true,
      conkey: pgArray(
        OID.int2,
        index.columns.map((c) => c + 1),
      ),
    },
  ];
}

/** The name that PostgreSQL would give the constraint. */
export function notNullName(r: RelationFacts, column: string): string {
  return `${r.name}_${column}_not_null`;
}

function notNulls(r: RelationFacts): CatalogRow[] {
  if (r.relkind !== 'r') return [];
  return r.relation.columns.flatMap((c, i) => {
    if (!c.notNull) return [];
    return [
      {
        ...COMMON,
        oid: notNullOid(r.oid, i + 1),
        conname: notNullName(r, c.name),
        connamespace: r.schema.oid,
        contype: 'n',
        conrelid: r.oid,
        conkey: pgArray(OID.int2, [i + 1]),
      },
    ];
  });
}

function checks(r: RelationFacts): CatalogRow[] {
  return r.checks.map((check) => {
    const columns = columnsOf(check.expr).map((c) => c + 1);
    return {
      ...COMMON,
      oid: checkOid(r.oid, check.number),
      conname: check.name,
      connamespace: r.schema.oid,
      contype: 'c',
      convalidated: check.valid,
      conrelid: r.oid,
      connoinherit: check.noInherit,
      conkey: columns.length === 0 ? null : pgArray(OID.int2, columns),
      conbin: writtenExpression(check),
    };
  });
}

function foreignKeys(r: RelationFacts, facts: CatalogFacts): CatalogRow[] {
  return r.foreignKeys.map((key) => {
    const numbers = (columns: number[]) =>
      pgArray(
        OID.int2,
        columns.map((c) => c + 1),
      );
    const other = facts.relation(key.references) as RelationFacts;
    const operators = (left: RelationFacts, lefts: number[], right: RelationFacts, rights: number[]) =>
      pgArray(
        OID.oid,
        lefts.map((c, i) => equality(left.relation.columns[c].type.oid, right.relation.columns[rights[i]].type.oid)),
      );
    const some = key.setColumns.length < key.columns.length;
    return {
      ...COMMON,
      oid: checkOid(r.oid, key.number),
      conname: key.name,
      connamespace: r.schema.oid,
      contype: 'f',
      condeferrable: key.deferrable,
      condeferred: key.initiallyDeferred,
      convalidated: key.valid,
      conrelid: r.oid,
      conindid: indexOfKey(other, key)?.oid ?? 0,
      confrelid: key.references,
      confupdtype: key.onUpdate,
      confdeltype: key.onDelete,
      confmatchtype: key.full ? 'f' : 's',
      connoinherit: true,
      conkey: numbers(key.columns),
      confkey: numbers(key.referenced),
      conpfeqop: operators(other, key.referenced, r, key.columns),
      conppeqop: operators(other, key.referenced, other, key.referenced),
      conffeqop: operators(r, key.columns, r, key.columns),
      confdelsetcols: some ? numbers(key.setColumns) : null,
    };
  });
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
  return table.indexes.find((index) => index.unique && hasColumns(index, referenced));
}

export const PG_CONSTRAINT = ofCatalog((facts) => [
  ...facts.indexes.flatMap(keyConstraint),
  ...facts.own.flatMap(notNulls),
  ...facts.own.flatMap(checks),
  ...facts.own.flatMap((r) => foreignKeys(r, facts)),
]);
