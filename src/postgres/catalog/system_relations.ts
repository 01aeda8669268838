/**
 * The relations of pg_catalog and information_schema: names, OIDs and columns as PostgreSQL's own catalogs list them.
 *
 * A column of a domain (information_schema.sql_identifier and the like) has the type under the domain here, as clients see it;
 * pg_attribute still shows the domain. Columns that clients of older PostgreSQL versions read, and newer versions renamed or
 * dropped, stand behind the others.
 */
import { type ColType, colType, OID } from '../../../operators/types.ts';
import type { Relation, RelationColumn } from '../../../planner/catalog_reader.ts';
import { namespaceName, typeByOid } from '../../../planner/types/catalog.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';

/** One row of pg_attribute about a system relation. */
export interface SystemColumn extends RelationColumn {
  /** The declared type: a domain, where `type` has what lies under it. */
  declared: number;
  /** pg_attribute.attcollation. */
  collation: number;
}

export interface SystemRelation extends Relation {
  columns: SystemColumn[];
  /** pg_class.relkind. */
  relkind: 'r' | 'v';
  /** Of the server, not of one database. */
  shared: boolean;
}

const OLDER_COLUMNS: Record<string, [name: string, type: number][]> = {
  pg_database: [['daticulocale', OID.text]],
  pg_collation: [['colliculocale', OID.text]],
};

/** The type under a domain, with the typmod that the domain gives it. */
function underlying(oid: number): ColType {
  const type = typeByOid(oid);
  return type?.kind === 'd' ? colType(type.baseType, type.baseTypmod) : colType(oid);
}

function column(name: string, declared: number, notNull: boolean, collation: number): SystemColumn {
  return { name, type: underlying(declared), declared, notNull, collation };
}

function readColumns(): Map<number, SystemColumn[]> {
  const t = systemTable('pg_attribute');
  const columns = new Map<number, SystemColumn[]>();
  for (let r = 0; r < t.rowCount; r++) {
    const relation = t.number(r, 'attrelid');
    const list = columns.get(relation) ?? [];
    const collation = t.number(r, 'attcollation');
    list.push(column(t.text(r, 'attname'), t.number(r, 'atttypid'), t.boolean(r, 'attnotnull'), collation));
    columns.set(relation, list);
  }
  return columns;
}

function readRelations(): SystemRelation[] {
  const columns = readColumns();
  const t = systemTable('pg_class');
  return Array.from({ length: t.rowCount }, (_, r) => {
    const oid = t.number(r, 'oid');
    const name = t.text(r, 'relname');
    const older = (OLDER_COLUMNS[name] ?? []).map(([n, type]) => column(n, type, false, 0));
    return {
      oid,
      name,
      schema: namespaceName(t.number(r, 'relnamespace')) ?? '',
      kind: 'system',
      relkind: t.text(r, 'relkind') as 'r' | 'v',
      shared: t.boolean(r, 'relisshared'),
      columns: [...(columns.get(oid) ?? []), ...older],
      key: null,
      appendOnly: false,
      indexes: [],
    };
  });
}

let relations: SystemRelation[] | null = null;
let byName: Map<string, SystemRelation> | null = null;
let byOid: Map<number, SystemRelation> | null = null;

/** All system relations, by OID. */
export function systemRelations(): SystemRelation[] {
  relations ??= readRelations();
  return relations;
}

export function systemRelation(schema: string, name: string): SystemRelation | null {
  byName ??= new Map(systemRelations().map((r) => [`${r.schema}.${r.name}`, r]));
  return byName.get(`${schema}.${name}`) ?? null;
}

export function systemRelationByOid(oid: number): SystemRelation | null {
  byOid ??= new Map(systemRelations().map((r) => [r.oid, r]));
  return byOid.get(oid) ?? null;
}
