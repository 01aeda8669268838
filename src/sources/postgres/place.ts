/**
 * How far a table of a database has been read, as texts that the tick log and checkpoints keep.
 *
 *   copying               some of the rows that were there have come: it has to begin again
 *   {lsn, table}          all of them have, as they were at `lsn`: transactions that committed before are in them
 *   16/B374D848           and all changes of transactions that committed before there
 *   {lsn, table, stopped} it will not be read any further
 */
import { lsnText, parseLsn } from '../../postgres/replication/lsn.ts';
import type { UpstreamTable } from './upstream_table.ts';

export interface Place {
  lsn: bigint;
  table: UpstreamTable;
  stopped: string | null;
}

export const COPYING = 'copying';

export function placeText({ lsn, table, stopped }: Place): string {
  return JSON.stringify({ lsn: lsnText(lsn), table, stopped: stopped ?? undefined });
}

/** The place after a batch that says `text`; null: it has to begin again. */
export function placeAfter(before: Place | null, text: string): Place | null {
  if (text === COPYING) return null;
  if (!text.startsWith('{')) return before === null ? null : { ...before, lsn: parseLsn(text) };
  const { lsn, table, stopped } = JSON.parse(text) as { lsn: string; table: UpstreamTable; stopped?: string };
  return { lsn: parseLsn(lsn), table, stopped: stopped ?? null };
}
