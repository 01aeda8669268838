/** pg_index: indexes of tables and materialized views. The engine's are hash tables; they answer as the kind that CREATE INDEX said. */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import { defaultOperatorClass, operatorClass } from '../../../planner/types/operator_class.ts';
import { ofCatalog } from './catalog_relation.ts';
import { writtenExpression } from './check_text.ts';
import { typeStorage } from './pg_attribute.ts';

/** int2vector and oidvector: arrays from 0. */
function vector(element: number, items: number[]): Datum {
  return { ...pgArray(element, items), lower: items.length === 0 ? [] : [0] };
}

function collationOid(name: string | null): number | null {
  if (name === null) return null;
  const t = systemTable('pg_collation');
  for (let r = 0; r < t.rowCount; r++) if (t.text(r, 'collname') === name) return t.number(r, 'oid');
  return null;
}

export const PG_INDEX = ofCatalog((facts) =>
  facts.indexes.map((index) => {
    const { keys, words, include, method, computed } = index;
    const types = keys.map(({ type }) => type.oid);
    const expressions = keys.filter(({ column }) => column === null);
    return {
      indexrelid: index.oid,
      indrelid: index.table.oid,
      indnatts: keys.length + include.length,
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
        [...keys, ...include].map(({ column }) => (column === null ? 0 : column + 1)),
      ),
      indcollation: vector(
        OID.oid,
        types.map((t, i) => collationOid(words[i].collation) ?? typeStorage(t).collation),
      ),
      indclass: vector(
        OID.oid,
        types.map((t, i) => {
          const { opclass } = words[i];
          const found = opclass === null ? defaultOperatorClass(t, method) : operatorClass(method, opclass);
          return found?.oid ?? 0;
        }),
      ),
      indoption: vector(
        OID.int2,
        words.map(({ descending, nullsFirst }) => Number(descending) + 2 * Number(nullsFirst)),
      ),
      // Expressions are kept as SQL; pg_get_expr() gives it back.
      indexprs: expressions.length === 0 ? null : expressions.map(({ text }) => text).join(', '),
      indpred: computed === null || computed.where === null ? null : writtenExpression(computed.where),
    };
  }),
);
