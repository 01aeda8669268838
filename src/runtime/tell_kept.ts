/**
 * Says of a new view that it keeps all rows of a stream, where its query looks as if it did not: now() bounds one side of a join, and with it the result, but nothing bounds the other side.
 * Of joins without now() nothing is said: their result grows with their streams, as their state does, and EXPLAIN shows it.
 */
import { isTimestamp } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { keptRows, type PhysicalQuery } from '../../planner/physical/index.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

export function tellKept(engine: TidemarkEngine, physical: PhysicalQuery, session: SessionContext): void {
  if (engine.replay !== null) return;
  const kept = keptRows(physical.plan).filter((k) => k.unlikeResult);
  for (const oid of new Set(kept.flatMap((k) => k.relations))) {
    const remedies = new Set(kept.filter((k) => k.relations.includes(oid)).map((k) => k.remedy.by));
    const relation = engine.catalog.relationByOid(oid);
    if (relation === null) continue;
    session.notice(
      'NOTICE',
      '00000',
      `all rows of "${relation.name}" are kept: now() bounds the other side of the join alone`,
      remedies.has('none') ? {} : { hint: hintFor(relation, remedies.has('distance')) },
    );
  }
}

/** `byDistance`: the join's condition may say how far the times are apart. */
function hintFor(relation: Relation, byDistance: boolean): string {
  const time = timeOf(relation);
  if (time === null)
    return `Bound a time of "${relation.name}", too: it has none, which a column with DEFAULT now() would be.`;
  if (!byDistance) return `Bound ${time} by now(), too.`;
  return `Bound ${time} by now(), too, or say in the join's condition how long before the other side's time it may be, such as ${time} >= other.time - INTERVAL '1 hour'.`;
}

/** What follows the watermark, or else the first time there is. */
function timeOf({ name, columns, watermark }: Relation): string | null {
  const column = watermark ? columns[watermark.column] : columns.find((c) => !c.dropped && isTimestamp(c.type.oid));
  return column === undefined ? null : `${name}.${column.name}`;
}
