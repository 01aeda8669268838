/** sequences: those of identity columns are not listed, as they are parts of their columns. */
import { formatType } from '../../../../planner/types/type_name.ts';
import { SELECT, UPDATE, USAGE } from '../../../catalog/privileges.ts';
import { identityOwner } from '../../../runtime/owned_sequences.ts';
import { type CatalogRelation, ofCatalog } from '../catalog_relation.ts';
import { sequencesOf } from '../pg_sequence.ts';
import { knownTo } from './known.ts';
import { typeLimits } from './sql_type.ts';
import { tableName } from './tables.ts';
import { yesNo } from './yes_no.ts';

export const SEQUENCES: Record<string, CatalogRelation> = {
  sequences: ofCatalog((facts, context) =>
    sequencesOf(facts)
      .filter(({ object }) => identityOwner(facts.engine, object) === null)
      .filter(({ object }) => knownTo(facts, context).object(object, SELECT | UPDATE | USAGE))
      .map((sequence) => {
        const { type, start, min, max, increment, cycle } = sequence.object.parameters;
        return {
          ...tableName(sequence, context.database, 'sequence'),
          data_type: formatType(type),
          ...typeLimits({ oid: type, typmod: -1 }),
          start_value: String(start),
          minimum_value: String(min),
          maximum_value: String(max),
          increment: String(increment),
          cycle_option: yesNo(cycle),
        };
      }),
  ),
};
