/**
 * Whether what a transaction wrote still fits the rows that are there when it is published.
 *
 *   statement reads rows of tick t -> delta        others publish t + 1, t + 2        checkFit(delta, t) -> publish
 *
 * The delta fits when every row that it takes away is there (as often), and no unique key is there twice after it, and no row references one that is not there. Then it does what it would have done at tick t:
 * a lost update is one whose old row is gone, a key taken twice one that somebody else has added. Rows are compared by their values, so a
 * row that came back is the same row.
 *
 * Cost: nothing for a table that has not changed since t and whose rows have to fit nothing new; else two look-ups a row, and one for each key.
 */
import { withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { readRow, weightOf } from '../../operators/batch/builder.ts';
import { U8 } from '../../operators/batch/memory.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { typeObjectOid } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { isDomain, type RelationObject } from '../catalog/objects.ts';
import { checkViolation } from './check_constraint.ts';
import type { IsDeferred, Seen } from './commits.ts';
import { checkDomains, domainsOf } from './domain_users.ts';
import type { TidemarkEngine } from './engine.ts';
import { nullViolation } from './not_null.ts';
import { checkReferences, type WholeChange } from './references.ts';
import { repeatedKey } from './repeated_keys.ts';
import type { StoredRelation } from './stored_relation.ts';
import { duplicateKey } from './unique_keys.ts';
import { orConflict, WriteConflict } from './write_conflict.ts';

/** Throws WriteConflict unless these consolidated deltas, made of what was `seen`, fit the live rows of their tables. */
export function checkFit(
  engine: TidemarkEngine,
  deltas: Map<number, Batch>,
  seen: Seen,
  isDeferred: IsDeferred,
  searchPath: string[],
): void {
  const isOther = ({ changedAt, constrainedAt }: StoredRelation) => {
    return changedAt > seen.tick || constrainedAt > seen.constraints;
  };
  for (const [oid, delta] of deltas) {
    const object = engine.catalog.pending.asSeen(engine.catalog.get(oid), searchPath);
    const stored = engine.loop.relations.get(oid);
    if (object === undefined)
      throw new SqlError('42P01', `the table with OID ${oid} was dropped before the transaction ended`);
    // Streams only ever take rows in.
    if (object.kind !== 'table' || stored === undefined || !isOther(stored)) continue;
    if (!stored.hasRetracted(delta))
      throw new WriteConflict('40001', 'could not serialize access due to concurrent update', {
        detail: `Another transaction has changed or deleted a row of "${object.name}" that this one has changed.`,
        hint: 'Run the transaction again.',
        schema: object.schema,
        table: object.name,
      });
    const { relation } = object;
    checkPresent(relation, delta);
    checkConditions(object, delta, seen.tick);
    checkNewDomains(engine, relation, delta, seen.tick);
    orConflict(() => stored.checkComputed(delta));
    for (const key of engine.catalog.uniqueKeys(relation, searchPath)) {
      const row = withScratch((arena) => repeatedKey(stored, key, delta, arena));
      if (row === null) continue;
      throw WriteConflict.of(duplicateKey(relation, key, row, defaultContext()));
    }
  }
  const changed = (oid: number) => {
    const stored = engine.loop.relations.get(oid);
    return stored !== undefined && isOther(stored);
  };
  orConflict(() =>
    checkReferences(wholeChange(engine, deltas, searchPath), ({ table, key }, what) => {
      return (
        isDeferred(table.oid, key) || key.since >= seen.tick || changed(what === 'row' ? key.references : table.oid)
      );
    }),
  );
}

/** Throws when the deltas break one of the foreign keys that are deferred. */
export function checkDeferred(
  engine: TidemarkEngine,
  deltas: Map<number, Batch>,
  isDeferred: IsDeferred,
  searchPath: string[],
): void {
  checkReferences(wholeChange(engine, deltas, searchPath), ({ table, key }) => isDeferred(table.oid, key));
}

/** The rows of now with the deltas, as they are for the transaction whose path this is: what it has dropped asks for nothing. */
function wholeChange(engine: TidemarkEngine, deltas: Map<number, Batch>, searchPath: string[]): WholeChange {
  const { catalog, loop } = engine;
  return {
    tables: (oid) => {
      const object = catalog.pending.asSeen(catalog.get(oid), searchPath);
      return object?.kind === 'table' && !catalog.isGone(oid, searchPath) ? object : undefined;
    },
    referencing: (oid) => catalog.referencing(oid, searchPath),
    deltas,
    view: {
      loop,
      transaction: {
        corrects: (oid) => deltas.has(oid),
        corrections: (oid) => {
          const batch = deltas.get(oid);
          return batch === undefined ? [] : [{ batch, sign: 1 }];
        },
        ofKeys: (oid) => deltas.get(oid) as Batch,
      },
    },
    context: defaultContext(),
  };
}

/** A CHECK may be there since the rows were written. */
function checkConditions({ relation, checks }: RelationObject, delta: Batch, seen: bigint): void {
  const added = checks.filter(({ since }) => since >= seen);
  if (added.length === 0) return;
  for (let row = 0; row < delta.n; row++) {
    if (weightOf(delta, row) < 0) continue;
    const violation = checkViolation(relation, added, readRow(delta, row), defaultContext());
    if (violation !== null) throw WriteConflict.of(violation);
  }
}

/** A domain may have got a constraint since the rows were written. */
function checkNewDomains({ catalog }: TidemarkEngine, relation: Relation, delta: Batch, seen: bigint): void {
  const columns = relation.columns.flatMap(({ type, dropped }, i) => {
    const added = domainsOf(type).some((oid) => {
      const domain = catalog.get(typeObjectOid(oid));
      return isDomain(domain) && domain.type.since >= seen;
    });
    return added && !dropped ? [i] : [];
  });
  if (columns.length === 0) return;
  for (let row = 0; row < delta.n; row++) {
    if (weightOf(delta, row) < 0) continue;
    orConflict(() => checkDomains(relation, columns, readRow(delta, row), defaultContext()));
  }
}

/** A column may be NOT NULL since the rows were written. */
function checkPresent(relation: Relation, delta: Batch): void {
  const columns = delta.columns.filter(({ valid }, c) => relation.columns[c].notNull && valid !== 0);
  if (columns.length === 0) return;
  for (let row = 0; row < delta.n; row++) {
    if (weightOf(delta, row) < 0 || columns.every(({ valid }) => U8[valid + row] !== 0)) continue;
    const violation = nullViolation(relation, readRow(delta, row), defaultContext());
    if (violation !== null) throw WriteConflict.of(violation);
  }
}
