/** pg_type and pg_enum: PostgreSQL's types, then those that users made, each with the array type over it. */
import { type EnumType, GAP } from '../../../operators/expr/enum_types.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { typeByOid } from '../../../planner/types/catalog.ts';
import type { TypeObject } from '../../catalog/objects.ts';
import { aclArray } from './acl.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog, toRows } from './catalog_relation.ts';
import type { CatalogFacts } from './facts.ts';
import { namedBy } from './roles.ts';
import { staticRows } from './static_rows.ts';

const ENUM = { typreceive: 3532, typsend: 3533, typsubscript: 0, typanalyze: 0, typstorage: 'p' };
const ARRAY = { typreceive: 2400, typsend: 2401, typsubscript: 6179, typanalyze: 3816, typstorage: 'x' };

export function enumsOf({ engine }: CatalogFacts): EnumType[] {
  return engine.catalog.objects().flatMap((object) => (object.kind === 'type' ? [object.type] : []));
}

function typeRow(oid: number, object: TypeObject, facts: CatalogFacts, context: EvalContext): CatalogRow[] {
  const type = typeByOid(oid);
  if (type === undefined) return [];
  return [
    {
      oid,
      typname: type.name,
      typnamespace: type.namespace,
      typowner: facts.engine.catalog.ownerOf(object),
      typacl: aclArray(object.acl, namedBy(facts, context)),
      typlen: type.len,
      typbyval: type.byVal,
      typtype: type.kind,
      typcategory: type.category,
      typispreferred: false,
      typisdefined: true,
      typdelim: type.delimiter,
      typrelid: 0,
      typelem: type.element,
      typarray: type.array,
      typinput: type.input,
      typoutput: type.output,
      typmodin: 0,
      typmodout: 0,
      typalign: 'i',
      typnotnull: false,
      typbasetype: 0,
      typtypmod: -1,
      typndims: 0,
      typcollation: 0,
      ...(type.isArray ? ARRAY : ENUM),
    },
  ];
}

export const PG_TYPE: CatalogRelation = {
  until: 'catalog',
  rows: ({ facts, context }, columns) => [
    ...staticRows('pg_type', columns),
    ...toRows(
      columns,
      facts.engine.catalog.objects().flatMap((object) => {
        if (object.kind !== 'type') return [];
        const { oid } = object.type;
        return [oid, oid + 1].flatMap((each) => typeRow(each, object, facts, context));
      }),
    ),
  ],
};

/** enumsortorder is PostgreSQL's: 1, 2, 3 for labels as they were declared, the middle for what came between. */
export const PG_ENUM = ofCatalog((facts) =>
  enumsOf(facts).flatMap(({ oid: enumtypid, labels }) =>
    labels.map(({ oid, label: enumlabel, value }) => ({ oid, enumtypid, enumsortorder: value / GAP + 1, enumlabel })),
  ),
);
