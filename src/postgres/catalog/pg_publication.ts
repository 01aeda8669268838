/** Publications, what they publish, and replication slots. */
import { pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { presentColumns } from '../../../planner/catalog_reader.ts';
import type { PublicationObject } from '../../catalog/objects.ts';
import { publishedBy } from '../../runtime/publications.ts';
import { endOf, lsnText } from '../replication/lsn.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog, ofMoment } from './catalog_relation.ts';
import type { CatalogFacts, RelationFacts } from './facts.ts';
import { DATABASE } from './oids.ts';

export function publicationsOf({ objects }: CatalogFacts): PublicationObject[] {
  return objects.filter((object) => object.kind === 'publication');
}

export function publishedRelations(facts: CatalogFacts, publication: PublicationObject): RelationFacts[] {
  return publishedBy(facts.engine, publication).flatMap((oid) => facts.relation(oid) ?? []);
}

/** Numbers of the columns that are there. */
export const attributesOf = (r: RelationFacts): number[] =>
  presentColumns(r.relation).map(({ position }) => position + 1);

function publicationRow({ oid, name, ownedBy, all, publish }: PublicationObject, { engine }: CatalogFacts): CatalogRow {
  return {
    oid,
    pubname: name,
    pubowner: ownedBy ?? engine.catalog.roles.all()[0]?.oid ?? null,
    puballtables: all,
    pubinsert: publish.insert,
    pubupdate: publish.update,
    pubdelete: publish.delete,
    pubtruncate: publish.truncate,
    pubviaroot: false,
    pubgencols: 's',
  };
}

/** Rows that say that something belongs to a publication have OIDs of their own. */
const memberOid = (publication: number, member: number): number => (Math.imul(publication, 0x9e3779b1) ^ member) >>> 0;

export const PUBLICATIONS: Record<string, CatalogRelation> = {
  pg_publication: ofCatalog((facts) => publicationsOf(facts).map((object) => publicationRow(object, facts))),
  pg_publication_rel: ofCatalog((facts) =>
    publicationsOf(facts).flatMap(({ oid, tables }) =>
      tables
        .filter((table) => facts.relation(table) !== undefined)
        .map((table) => ({ oid: memberOid(oid, table), prpubid: oid, prrelid: table })),
    ),
  ),
  pg_publication_namespace: ofCatalog((facts) =>
    publicationsOf(facts).flatMap(({ oid, schemas }) =>
      facts.schemas
        .filter(({ oid: schema }) => schemas.includes(schema))
        .map((schema) => ({ oid: memberOid(oid, schema.oid), pnpubid: oid, pnnspid: schema.oid })),
    ),
  ),
  pg_publication_tables: ofMoment(({ facts }) =>
    publicationsOf(facts).flatMap((publication) =>
      publishedRelations(facts, publication).map((r) => ({
        pubname: publication.name,
        schemaname: r.schema.name,
        tablename: r.name,
        attnames: pgArray(
          OID.name,
          presentColumns(r.relation).map(({ name }) => name),
        ),
      })),
    ),
  ),
  pg_replication_slots: ofMoment(({ facts, context }) =>
    facts.objects.flatMap((object) => {
      if (object.kind !== 'slot') return [];
      const reader = facts.engine.replication.readers.get(object.name);
      const confirmed = lsnText(endOf(facts.engine.replication.position(object.name) ?? 0n));
      return [
        {
          slot_name: object.name,
          plugin: 'pgoutput',
          slot_type: 'logical',
          datoid: DATABASE,
          database: context.database,
          temporary: false,
          active: reader !== undefined,
          active_pid: reader ?? null,
          restart_lsn: confirmed,
          confirmed_flush_lsn: confirmed,
          wal_status: 'reserved',
          two_phase: false,
          conflicting: false,
          failover: false,
          synced: false,
        },
      ];
    }),
  ),
};
