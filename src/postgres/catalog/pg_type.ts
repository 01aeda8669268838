/** pg_type and pg_enum: PostgreSQL's types, then those that users made, each with the array type over it. */

import { isArrayType } from '../../../operators/expr/array_types.ts';
import { type EnumType, GAP } from '../../../operators/expr/enum_types.ts';
import { declaredOid, typeObjectOid } from '../../../operators/types.ts';
import { typeByOid } from '../../../planner/types/catalog.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import type { Domain, TypeObject } from '../../catalog/objects.ts';
import { aclArray } from './acl.ts';
import { type CatalogRelation, type CatalogRow, type Moment, ofCatalog, toRows } from './catalog_relation.ts';
import { domainDefaultText } from './domains.ts';
import type { CatalogFacts } from './facts.ts';
import { namedBy } from './roles.ts';
import { staticRows } from './static_rows.ts';

const ENUM = { typreceive: 3532, typsend: 3533, typsubscript: 0, typanalyze: 0, typstorage: 'p' };
const ARRAY = { typreceive: 2400, typsend: 2401, typsubscript: 6179, typanalyze: 3816, typstorage: 'x' };

/** Types that users made. */
export function userTypes({ objects }: CatalogFacts): (EnumType | Domain)[] {
  return objects.flatMap((object) => (object.kind === 'type' ? [object.type] : []));
}

const isEnum = (type: EnumType | Domain): type is EnumType => 'labels' in type;

const DOMAIN = { typreceive: 2598, typsubscript: 0, typanalyze: 0 };

let senders: Map<number, CatalogRow> | null = null;

/** What a domain has of what lies under it. */
function ofBase(oid: number): CatalogRow {
  if (typeObjectOid(oid) !== 0) return isArrayType(oid) ? ARRAY : ENUM;
  if (senders === null) {
    senders = new Map();
    const t = systemTable('pg_type');
    for (let r = 0; r < t.rowCount; r++) {
      senders.set(t.number(r, 'oid'), {
        typsend: t.number(r, 'typsend'),
        typalign: t.text(r, 'typalign'),
        typstorage: t.text(r, 'typstorage'),
        typcollation: t.number(r, 'typcollation'),
      });
    }
  }
  return senders.get(oid) ?? ENUM;
}

function ofDomain(domain: Domain, { facts, context }: Moment): CatalogRow {
  const value = domainDefaultText(domain, facts, context.searchPath);
  return {
    ...ofBase(domain.base.oid),
    ...DOMAIN,
    typnotnull: domain.notNull,
    typbasetype: declaredOid(domain.base),
    typtypmod: domain.base.domain === undefined ? domain.base.typmod : -1,
    typdefaultbin: value,
    typdefault: value,
  };
}

function typeRow(oid: number, object: TypeObject, domain: Domain | null, moment: Moment): CatalogRow[] {
  const { facts, context } = moment;
  const type = typeByOid(oid);
  if (type === undefined) return [];
  return [
    {
      oid,
      typname: type.name,
      typnamespace: type.namespace,
      typowner: facts.engine.catalog.ownerOf(object, facts.path),
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
      ...(domain === null ? {} : ofDomain(domain, moment)),
    },
  ];
}

export const PG_TYPE: CatalogRelation = {
  until: 'catalog',
  rows: (moment, columns) => [
    ...staticRows('pg_type', columns),
    ...toRows(
      columns,
      moment.facts.objects.flatMap((object) => {
        if (object.kind !== 'type') return [];
        const { type } = object;
        return [
          ...typeRow(type.oid, object, isEnum(type) ? null : type, moment),
          ...typeRow(type.oid + 1, object, null, moment),
        ];
      }),
    ),
  ],
};

/** enumsortorder is PostgreSQL's: 1, 2, 3 for labels as they were declared, the middle for what came between. */
export const PG_ENUM = ofCatalog((facts) =>
  userTypes(facts)
    .filter(isEnum)
    .flatMap(({ oid: enumtypid, labels }) =>
      labels.map(({ oid, label: enumlabel, value }) => ({ oid, enumtypid, enumsortorder: value / GAP + 1, enumlabel })),
    ),
);
