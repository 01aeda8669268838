/** pg_attribute: the columns of relations and indexes. Attribute numbers are column positions from 1. */
import { type ColType, declaredOid } from '../../../operators/types.ts';
import { declaredType } from '../../../planner/types/catalog.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import type { GeneratedColumn } from '../../catalog/objects.ts';
import { type CatalogRelation, type CatalogRow, toRows } from './catalog_relation.ts';
import type { CatalogFacts } from './facts.ts';
import { staticRows } from './static_rows.ts';

interface TypeStorage {
  align: string;
  storage: string;
  collation: number;
}

let storages: Map<number, TypeStorage> | null = null;

/** How pg_type says that a type lies in a row. */
export function typeStorage(oid: number): TypeStorage {
  if (storages === null) {
    storages = new Map();
    const t = systemTable('pg_type');
    for (let r = 0; r < t.rowCount; r++) {
      storages.set(t.number(r, 'oid'), {
        align: t.text(r, 'typalign'),
        storage: t.text(r, 'typstorage'),
        collation: t.number(r, 'typcollation'),
      });
    }
  }
  return storages.get(oid) ?? { align: 'i', storage: 'p', collation: 0 };
}

function attribute(relation: number, attnum: number, name: string, type: ColType): CatalogRow {
  const storage = typeStorage(type.oid);
  const pgType = declaredType(type);
  return {
    attrelid: relation,
    attname: name,
    atttypid: declaredOid(type),
    attlen: pgType?.len ?? -1,
    attnum,
    atttypmod: type.domain === undefined ? type.typmod : -1,
    attndims: pgType?.isArray ? 1 : 0,
    attbyval: pgType?.byVal ?? false,
    attalign: storage.align,
    attstorage: storage.storage,
    attcompression: '',
    attnotnull: false,
    atthasdef: false,
    atthasmissing: false,
    attidentity: '',
    attgenerated: '',
    attisdropped: false,
    attislocal: true,
    attinhcount: 0,
    attcollation: storage.collation,
  };
}

function generatedKind(generated: readonly GeneratedColumn[], column: number): 's' | 'v' | '' {
  const found = generated.find((g) => g.column === column);
  if (found === undefined) return '';
  return found.virtual ? 'v' : 's';
}

function ownAttributes(facts: CatalogFacts): CatalogRow[] {
  const relations = facts.own.flatMap((r) =>
    r.relation.columns.map((c, i) => ({
      ...attribute(r.oid, i + 1, c.name, c.type),
      attnotnull: c.notNull,
      atthasdef: r.defaults[i] !== null || c.generated === true,
      attgenerated: generatedKind(r.generated, i),
      attidentity: c.identity ?? '',
      ...(c.dropped ? { attname: `........pg.dropped.${i + 1}........`, atttypid: 0, attisdropped: true } : {}),
    })),
  );
  const indexes = facts.indexes.flatMap((index) =>
    [...index.keys, ...index.include].map(({ name, type }, i) => attribute(index.oid, i + 1, name, type)),
  );
  return [...relations, ...indexes];
}

export const PG_ATTRIBUTE: CatalogRelation = {
  until: 'catalog',
  rows: ({ facts }, columns) => [...staticRows('pg_attribute', columns), ...toRows(columns, ownAttributes(facts))],
};
