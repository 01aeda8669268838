/** How what is filled in slices, with ticks and statements in between, comes into the catalog at its end. */
import { stillSame } from '../catalog/object_shape.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import { checkStaying } from '../catalog/staying.ts';
import type { SessionContext } from '../engine.ts';
import type { Becoming } from './backfill.ts';
import type { TidemarkEngine } from './engine.ts';
import { alteredMeanwhile } from './write_conflict.ts';

/** An object of the catalog becomes visible in the turn in which it becomes live, unless its name or what it reads has changed hands meanwhile. `types`: that it names beside its dependencies. */
export function becoming(
  engine: TidemarkEngine,
  object: CatalogObject,
  session: SessionContext,
  types: number[] = [],
): Becoming {
  const reads = [...object.dependencies, ...types];
  const isSame = stillSame(engine.catalog, reads);
  const { relations } = engine.loop;
  const rows = object.dependencies.map((oid) => relations.get(oid));
  return {
    check: () => {
      engine.catalog.check(object, session.searchPath);
      checkStaying(engine.catalog, types, session.searchPath);
      isSame();
      // Columns may have been altered and altered back.
      const other = object.dependencies.find((oid, i) => relations.get(oid) !== rows[i]);
      if (other !== undefined) throw alteredMeanwhile(engine.catalog.get(other)?.name ?? String(other));
    },
    live: () => engine.define(object, session, reads),
  };
}
