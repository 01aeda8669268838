/** connector = 'postgres'. */
import { SqlError } from '../../../operators/errors.ts';
import { parsePostgresOptions } from './options.ts';
import { UpstreamSession } from './session.ts';
import { checkSlotName } from './slot.ts';
import { checkDatabase, checkReadable, describeTable, type WantedColumns } from './upstream_table.ts';

export { parsePostgresOptions } from './options.ts';
export { TransactionReader } from './reader.ts';
export { PostgresSource } from './source.ts';

/** Fails when the table cannot be followed: wrong option, no server, not let in, no such publication, table or column. */
export async function checkPostgres(given: Record<string, string>, wanted: WantedColumns): Promise<void> {
  const options = parsePostgresOptions(given);
  const session = await UpstreamSession.open(options, false);
  try {
    await checkDatabase(session, options);
    const { oid } = await describeTable(session, options, wanted);
    await checkReadable(session, options, oid);
    await checkSlotName(session, options.slot);
  } catch (error) {
    // What ended that session does not end the one here.
    if (!(error instanceof SqlError)) throw error;
    throw new SqlError(error.sqlstate, error.message, { ...error.fields, severity: undefined });
  } finally {
    session.leave();
  }
}
