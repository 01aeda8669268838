/** The replication slot: whether it has all that is missing here. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SqlError } from '../../../operators/errors.ts';
import { lsnText, parseLsn } from '../../postgres/replication/lsn.ts';
import type { UpstreamSession } from './session.ts';
import { literal } from './upstream_table.ts';

/** False: there is no slot, and nothing that hangs on it. `from`: from where on changes are missing; null: nothing is followed. Throws SqlError where the slot does not have them. */
export async function checkSlot(sql: UpstreamSession, slot: string, from: bigint | null): Promise<boolean> {
  const [found] = await sql.query(
    `SELECT plugin, database = current_database(), active, active_pid, confirmed_flush_lsn, wal_status, CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END FROM pg_replication_slots WHERE slot_name = ${literal(slot)}`,
  );
  const anew = 'Changes are missing: drop the tables that it serves and create them again.';
  if (found === undefined) {
    if (from === null) return false;
    throw new SqlError('55000', `replication slot "${slot}" is gone`, { hint: anew });
  }
  const [plugin, isOurs, active, pid, confirmed, status, end] = found;
  checkKind(slot, plugin, isOurs);
  if (active === 't')
    throw new SqlError('55006', `replication slot "${slot}" is used by another (process ${pid} there)`);
  if (status === 'lost') {
    const hint = from !== null ? anew : `There: SELECT pg_drop_replication_slot(${literal(slot)}).`;
    throw new SqlError('55000', `replication slot "${slot}" has lost what it had to keep (max_slot_wal_keep_size)`, {
      hint,
    });
  }
  if (from !== null && confirmed !== null && parseLsn(confirmed) > from) {
    const detail = `It is at ${confirmed}, the tables here are at ${lsnText(from)}.`;
    throw new SqlError('55000', `replication slot "${slot}" has gone on without this server`, { detail, hint: anew });
  }
  // What it logs until it is there again would be taken for what was read.
  if (from !== null && end !== null && parseLsn(end) < from) {
    const detail = `Its log ends at ${end}, the tables here are at ${lsnText(from)}.`;
    throw new SqlError('55000', 'the database is another one, or was set back to an earlier state', {
      detail,
      hint: anew,
    });
  }
  return true;
}

/** Before anything is followed: a slot of that name, if there is one, could be used. */
export async function checkSlotName(sql: UpstreamSession, slot: string): Promise<void> {
  const [found] = await sql.query(
    `SELECT plugin, database = current_database() FROM pg_replication_slots WHERE slot_name = ${literal(slot)}`,
  );
  if (found !== undefined) checkKind(slot, found[0], found[1]);
}

/** A slot that is just being made has its database, and for a moment '' as its plugin. */
function checkKind(slot: string, plugin: string | null, isOurs: string | null): void {
  if ((plugin === 'pgoutput' || plugin === '') && isOurs === 't') return;
  throw new SqlError('55000', `replication slot "${slot}" is of another database or of another plugin`, {
    hint: 'Name another one by option "slot".',
  });
}

export async function dropSlot(session: UpstreamSession, slot: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await session.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${literal(slot)}`,
      );
      return;
    } catch (error) {
      // Its process there has not ended yet.
      if (!(error instanceof SqlError) || error.sqlstate !== '55006' || tries === 20) throw error;
      await sleep(100);
    }
  }
}
