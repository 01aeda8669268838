/** pg_constraint: PRIMARY KEY (p), UNIQUE (u), NOT NULL (n) and CHECK (c), the constraints that the engine has. `conbin` holds the condition as SQL. */
import { pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { columnsOf } from '../../runtime/row_expression.ts';
import { type CatalogRow, ofCatalog } from './catalog_relation.ts';
import { writtenExpression } from './check_text.ts';
import type { IndexFacts, RelationFacts } from './facts.ts';
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

export const PG_CONSTRAINT = ofCatalog((facts) => [
  ...facts.indexes.flatMap(keyConstraint),
  ...facts.own.flatMap(notNulls),
  ...facts.own.flatMap(checks),
]);
