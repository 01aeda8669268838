/** Takes one object away, with what runs for it. */
import type { CatalogObject } from '../catalog/objects.ts';
import { usersOf } from './default_value.ts';
import { dropIndex } from './drop_constraint.ts';
import type { TidemarkEngine } from './engine.ts';
import type { Closing } from './free_types.ts';
import { keepChanges } from './kept_changes.ts';

/** When it is sure that the relation stays dropped. */
async function forgetChanges(engine: TidemarkEngine, oid: number): Promise<void> {
  await engine.journal?.durable();
  await engine.changes.drop(oid);
}

function endView(engine: TidemarkEngine, oid: number): () => Promise<void> {
  engine.loop.detachView(oid);
  // While the log is replayed, a view that is dropped in it has only its rows' place.
  engine.loop.dropRelation(oid);
  return () => forgetChanges(engine, oid);
}

/** Gives what is left to do when its connections are to be closed. */
export function dropOne(engine: TidemarkEngine, object: CatalogObject): Closing {
  engine.catalog.remove(object.oid);
  switch (object.kind) {
    case 'table':
    case 'stream': {
      const stream = engine.streams.get(object.oid);
      engine.streams.delete(object.oid);
      engine.localStreams.get(object.oid)?.release();
      engine.localStreams.delete(object.oid);
      engine.loop.dropRelation(object.oid);
      return async () => {
        await stream?.close();
        await forgetChanges(engine, object.oid);
        await stream?.source.forget?.();
      };
    }
    case 'materialized_view':
      return endView(engine, object.oid);
    case 'sink': {
      const sink = engine.sinks.get(object.oid);
      engine.sinks.delete(object.oid);
      engine.loop.detachView(object.oid);
      if (sink === undefined) return null;
      return async () => {
        // A sink that is back after a crash must find out how far it has written.
        await engine.journal?.durable();
        await sink.close(true);
      };
    }
    case 'type':
    case 'function':
    case 'extension':
    case 'publication':
      return null;
    case 'slot':
      engine.subscriptions.delete(object.oid);
      return null;
    case 'sequence':
      engine.sequences.close(object.oid);
      for (const { table, column } of usersOf(engine, object.oid)) table.defaults[column] = null;
      return null;
    case 'index':
      dropIndex(engine, object);
      return null;
    case 'subscription':
      engine.subscriptions.delete(object.oid);
      if (object.physical === undefined) {
        keepChanges(engine, object.follows);
        return null;
      }
      return endView(engine, object.oid);
    case 'view':
      return null;
  }
}
