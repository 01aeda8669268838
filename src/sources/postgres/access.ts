/** How the engine gets at databases whose tables it follows: one reader for all tables that name the same database, publication and slot. */
import { isDeepStrictEqual } from 'node:util';
import { SqlError } from '../../../operators/errors.ts';
import type { Source } from '../source.ts';
import type { DatabaseOptions, PostgresOptions } from './options.ts';
import type { TransactionReader } from './reader.ts';
import type { WantedColumns } from './upstream_table.ts';

type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

export class PostgresAccess {
  readonly #durable: () => Promise<void>;
  readonly #readers = new Map<string, TransactionReader>();

  /** `durable`: resolves when all that ticks have taken is on the disk. */
  constructor(durable: () => Promise<void>) {
    this.#durable = durable;
  }

  /** Throws SqlError when the table cannot be followed with these options. */
  async checkSource(options: Record<string, string>, wanted: WantedColumns): Promise<void> {
    const { checkPostgres, parsePostgresOptions } = await import('./index.ts');
    const database = databaseOf(parsePostgresOptions(options));
    const { host, port, slot } = database;
    for (const { isUsed, options: other } of this.#readers.values()) {
      if (!isUsed || other.slot !== slot || other.host !== host || other.port !== port) continue;
      if (isDeepStrictEqual(other, database)) continue;
      throw new SqlError('22023', `another table reads replication slot "${slot}" with other options`, {
        hint: 'Give the same options of the database and the connection, or name another slot by option "slot".',
      });
    }
    await checkPostgres(options, wanted);
  }

  /** The modules are loaded when a database is first named. */
  async openSource(given: Record<string, string>, wanted: WantedColumns, log: Log): Promise<Source> {
    const { PostgresSource, TransactionReader, parsePostgresOptions } = await import('./index.ts');
    const options = parsePostgresOptions(given);
    const database = databaseOf(options);
    const name = JSON.stringify(database);
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      reader = new TransactionReader(database, this.#durable, log);
      this.#readers.set(name, reader);
    }
    return new PostgresSource(options, wanted, reader);
  }
}

function databaseOf({
  schema: _schema,
  table: _table,
  bufferBytes: _bytes,
  ...database
}: PostgresOptions): DatabaseOptions {
  return database;
}
