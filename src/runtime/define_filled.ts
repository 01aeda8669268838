/** A table with its first rows, as one record of the log: it is there with them or not at all. */
import type { Batch } from '../../operators/batch/batch.ts';
import { turn } from '../../operators/turn.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import { settingsOf } from '../durable/journal.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { keepChanges } from './kept_changes.ts';
import { own } from './role_names.ts';

interface Filled {
  object: CatalogObject;
  rows: Batch;
  /** What must be there to do it again. */
  reads: number[];
  /** Throws what there is against it by then. */
  check(): void;
  /** Makes the place for the rows, in the turn in which the table appears. */
  addStore(): void;
}

export async function defineFilled(
  engine: TidemarkEngine,
  { object, rows, reads, check, addStore }: Filled,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const { journal, catalog } = engine;
  const { oid, sql } = object;
  const open = engine.openFor(session, oid);
  const settings = settingsOf(session.evalContext, session.searchPath);
  const record = { sql, made: oid, dropped: [], settings, ...(open === undefined ? {} : { open }) };
  const frame = journal === null ? null : await journal.admitFilled(record, rows);
  check();
  own(engine, object, session);
  catalog.add(object, open);
  addStore();
  keepChanges(engine, oid);
  try {
    turn.of(signal, () => engine.publishRows(new Map([[oid, rows]])));
  } catch (error) {
    engine.loop.dropRelation(oid);
    void engine.changes.drop(oid);
    catalog.remove(oid);
    throw error;
  }
  engine.definitions.add({ ...record, now: '0' }, [...reads, catalog.schemaOid(object.schema, session.searchPath)]);
  if (journal !== null && frame !== null) journal.filled(engine.loop, frame);
  session.done?.();
}
