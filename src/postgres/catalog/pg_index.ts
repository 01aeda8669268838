/** pg_index: indexes of tables and materialized views. The engine's are hash tables; they answer as btree, the kind clients know. */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { ofCatalog } from './catalog_relation.ts';
import { defaultOperatorClass } from './operator_class.ts';
import { typeStorage } from './pg_attribute.ts';

/** int2vector and oidvector: arrays from 0. */
export function vector(element: number, items: number[]): Datum {
  return { ...pgArray(element, items), lower: items.length === 0 ? [] : [0] };
}

export const PG_INDEX = ofCatalog((facts) =>
  facts.indexes.map((index) => {
    const types = index.columns.map((c) => index.table.relation.columns[c].type.oid);
    return {
      indexrelid: index.oid,
      indrelid: index.table.oid,
      indnatts: index.columns.length,
      indnkeyatts: index.columns.length,
      indisunique: index.unique,
      indnullsnotdistinct: false,
      indisprimary: index.primary,
      indisexclusion: false,
      indimmediate: true,
      indisclustered: false,
      indisvalid: true,
      indcheckxmin: false,
      indisready: true,
      indislive: true,
      indisreplident: false,
      indkey: vector(
        OID.int2,
        index.columns.map((c) => c + 1),
      ),
      indcollation: vector(
        OID.oid,
        types.map((t) => typeStorage(t).collation),
      ),
      indclass: vector(OID.oid, types.map(defaultOperatorClass)),
      indoption: vector(
        OID.int2,
        index.columns.map(() => 0),
      ),
    };
  }),
);
