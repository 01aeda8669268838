/** What EXPLAIN says of the sources that an index's order could serve (ordered_reads.ts): each is tried as a read would try it. */
import { SqlError } from '../../operators/errors.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import { indexesFor, readByOrder, servedSources } from './ordered_reads.ts';
import type { OrderedSource } from './ordered_sources.ts';
import type { Reader } from './reads.ts';
import type { StoredRelation } from './stored_relation.ts';

type NameOf = (relation: number, column: number) => string;

/** By the numbers of the sources. */
export function explainOrders(plan: DataflowPlan, reader: Reader, nameOf: NameOf): Map<number, string> {
  const said = new Map<number, { text: string; isRead: boolean }>();
  for (const source of servedSources(plan, reader)) {
    const known = said.get(source.source);
    const found = known?.isRead ? null : explainOrder(plan, source, reader, nameOf);
    if (found !== null && (known === undefined || found.isRead)) said.set(source.source, found);
  }
  return new Map([...said].map(([source, { text }]) => [source, text]));
}

function explainOrder(plan: DataflowPlan, source: OrderedSource, reader: Reader, nameOf: NameOf) {
  const { relation, first } = source;
  const stored = reader.loop.relations.get(relation) as StoredRelation;
  const indexes = [...indexesFor(source, stored, reader)];
  if (indexes.length === 0) return null;
  const named = (columns: number[]) => `(${columns.map((column) => nameOf(relation, column)).join(', ')})`;
  const rows = rowsFound(plan, source, reader);
  if (rows !== null) {
    const which = first === null ? 'of the range' : 'from the end that is wanted';
    return { text: `by the order of ${named(rows.columns)}: ${rows.n} rows ${which}`, isRead: true };
  }
  const isMade = indexes.every((index) => stored.orders.ready(index) !== null);
  const why = isMade ? 'it would not be less' : 'the second such read makes it';
  const orders = indexes.map(({ keyColumns }) => named(keyColumns)).join(', ');
  return { text: `scanned, not by the order of ${orders}: ${why}`, isRead: false };
}

/** Null also where a row fails: so does the statement, whichever way it reads. */
function rowsFound(plan: DataflowPlan, source: OrderedSource, reader: Reader): { n: number; columns: number[] } | null {
  try {
    const found = readByOrder(plan, source, reader);
    if (found === null) return null;
    found.arena.release();
    return { n: found.batch.n, columns: found.columns };
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}
