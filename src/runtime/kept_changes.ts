/** Which relations keep their changes, and for how long: as their definitions and the subscriptions to them say. */

import { isTemporary } from '../../operators/expr/search_path.ts';
import type { Option } from '../../planner/parse/ast.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import { longer, type Retention, retentionOf } from '../changes/retention.ts';
import type { TidemarkEngine } from './engine.ts';

/** The value of the option `retention`, checked, and the other options. */
export function takeRetention(options: Option[]): { retention: string | undefined; rest: Option[] } {
  const retention = options.find(({ name }) => name === 'retention')?.value;
  retentionOf(retention);
  return { retention, rest: options.filter(({ name }) => name !== 'retention') };
}

/** Null for what has no rows of its own. */
export function keptChanges(engine: TidemarkEngine, oid: number): Retention | null {
  const object = engine.catalog.get(oid);
  let retention = object === undefined ? null : keptOf(object);
  if (retention === null) return null;
  for (const other of engine.catalog.objects())
    if (other.kind === 'subscription' && other.follows === oid)
      retention = longer(retention, retentionOf(other.retention));
  return retention;
}

function keptOf(object: CatalogObject): Retention | null {
  switch (object.kind) {
    case 'table':
    case 'stream':
      // Of what one session has nobody asks for the past who does not say so.
      return retentionOf(object.retention ?? (isTemporary(object.schema) ? '0' : undefined));
    case 'materialized_view':
      return retentionOf(object.retention);
    case 'subscription':
      return object.physical === undefined ? null : retentionOf(object.retention);
    default:
      return null;
  }
}

/** Begins, changes or ends the log of a relation's changes. */
export function keepChanges(engine: TidemarkEngine, oid: number): void {
  const { loop } = engine;
  const retention = keptChanges(engine, oid);
  if (retention === null || !loop.relations.has(oid) || engine.replay?.dropped(oid)) return;
  engine.changes.keep(oid, retention, { tick: loop.tick, clock: loop.now });
}
