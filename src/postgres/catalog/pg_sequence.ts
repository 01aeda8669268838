/** pg_sequence and pg_sequences: what sequences count; the latter with the value that each gave last. */
import type { SequenceObject } from '../../catalog/objects.ts';
import { type CatalogRelation, ofCatalog, ofMoment } from './catalog_relation.ts';
import type { CatalogFacts, RelationFacts } from './facts.ts';
import { namedBy, roleName } from './roles.ts';

export interface SequenceFacts extends RelationFacts {
  object: SequenceObject;
}

export function sequencesOf(facts: CatalogFacts): SequenceFacts[] {
  return facts.own.filter((r): r is SequenceFacts => r.relkind === 'S');
}

export const SEQUENCES: Record<string, CatalogRelation> = {
  pg_sequence: ofCatalog((facts) =>
    sequencesOf(facts).map(({ oid, object: { parameters } }) => ({
      seqrelid: oid,
      seqtypid: parameters.type,
      seqstart: parameters.start,
      seqincrement: parameters.increment,
      seqmax: parameters.max,
      seqmin: parameters.min,
      seqcache: parameters.cache,
      seqcycle: parameters.cycle,
    })),
  ),
  pg_sequences: ofMoment(({ facts, context }) =>
    sequencesOf(facts).map(({ oid, name, schema, owner, object: { parameters } }) => {
      const state = facts.engine.sequences.get(oid)?.state;
      return {
        schemaname: schema.name,
        sequencename: name,
        sequenceowner: roleName(owner, namedBy(facts, context)),
        data_type: parameters.type,
        start_value: parameters.start,
        min_value: parameters.min,
        max_value: parameters.max,
        increment_by: parameters.increment,
        cycle: parameters.cycle,
        cache_size: parameters.cache,
        last_value: state?.called ? state.last : null,
      };
    }),
  ),
};
