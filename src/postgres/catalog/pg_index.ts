/** pg_index: indexes of tables and materialized views. The engine's are hash tables; they answer as btree, the kind clients know. */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { ofCatalog } from './catalog_relation.ts';
import { writtenExpression } from './check_text.ts';
import { defaultOperatorClass } from './operator_class.ts';
import { typeStorage } from './pg_attribute.ts';

/** int2vector and oidvector: arrays from 0. */
export function vector(element: number, items: number[]): Datum {
  return { ...pgArray(element, items), lower: items.length === 0 ? [] : [0] };
}

export const PG_INDEX = ofCatalog((facts) =>
  facts.indexes.map((index) => {
    const { keys, computed } = index;
    const types = keys.map(({ type }) => type.oid);
    const expressions = keys.filter(({ column }) => column === null);
    return {
      indexrelid: index.oid,
      indrelid: index.table.oid,
      indnatts: keys.length,
      indnkeyatts: keys.length,
      indisunique: index.unique,
      indnullsnotdistinct: index.nullsEqual,
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
        keys.map(({ column }) => (column === null ? 0 : column + 1)),
      ),
      indcollation: vector(
        OID.oid,
        types.map((t) => typeStorage(t).collation),
      ),
      indclass: vector(OID.oid, types.map(defaultOperatorClass)),
      indoption: vector(
        OID.int2,
        keys.map(() => 0),
      ),
      // Expressions are kept as SQL; pg_get_expr() gives it back.
      indexprs: expressions.length === 0 ? null : expressions.map(({ text }) => text).join(', '),
      indpred: computed === null || computed.where === null ? null : writtenExpression(computed.where),
    };
  }),
);
