/** Which sequences go with which columns. */
import type { Relation } from '../../planner/catalog_reader.ts';
import type { RelationObject, SequenceObject } from '../catalog/objects.ts';
import type { TidemarkEngine } from './engine.ts';

/** The sequence that an identity column needs. */
export function identitySequence(engine: TidemarkEngine, relation: Relation, column: number): SequenceObject | null {
  if (relation.columns[column].identity === undefined) return null;
  const own = ownedSequences(engine, relation.oid).filter(({ owner }) => owner?.column === column);
  // Others may be owned by the column, too.
  const value = (engine.catalog.get(relation.oid) as RelationObject).defaults[column];
  return own.find(({ oid }) => value?.sequences.includes(oid)) ?? null;
}

export function ownedSequences(engine: TidemarkEngine, table: number): SequenceObject[] {
  return engine.catalog.objects().filter((object): object is SequenceObject => {
    return object.kind === 'sequence' && object.owner?.table === table;
  });
}

/** The column of a table that cannot be without the sequence; null when it is no identity column's. */
export function identityOwner(
  engine: TidemarkEngine,
  sequence: SequenceObject,
): { table: RelationObject; column: number } | null {
  if (sequence.owner === null) return null;
  const { table: oid, column } = sequence.owner;
  const table = engine.catalog.get(oid) as RelationObject;
  return identitySequence(engine, table.relation, column) === sequence ? { table, column } : null;
}
