/**
 * A table of the database, as it was when its rows were read: what it is and how its changes name rows. A table that is another by now cannot be followed,
 * as what ALTER TABLE does to rows is no change that is replicated.
 *
 *   columns that are read: name, number, type, modifier        identity: what of an old row comes with a change, and that it tells rows apart as the primary key here does
 */
import { SqlError } from '../../../operators/errors.ts';
import type { DatabaseOptions, PostgresOptions } from './options.ts';
import type { UpstreamSession } from './session.ts';

export interface UpstreamTable {
  oid: number;
  /** pg_class.relreplident: of the old row a change has the columns of the primary key (d), of an index (i), or all (f). */
  identity: string;
  /** Those that are read, in the order in which the table has them. */
  columns: UpstreamColumn[];
}

export interface UpstreamColumn {
  name: string;
  number: number;
  type: number;
  modifier: number;
}

/** What a table here wants of the one there. */
export interface WantedColumns {
  names: string[];
  key: string[];
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function identifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

export function nameOf({ schema, table }: PostgresOptions): string {
  return `${identifier(schema)}.${identifier(table)}`;
}

/** Throws SqlError for a database that cannot be followed: 55000 wal_level, 42501 no right to. */
export async function checkDatabase(session: UpstreamSession, { user }: DatabaseOptions): Promise<void> {
  const [[level, mayReplicate]] = await session.query(
    "SELECT current_setting('wal_level'), rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user",
  );
  if (level !== 'logical') {
    throw new SqlError('55000', `the database does not log what is needed: its wal_level is "${level}"`, {
      hint: 'ALTER SYSTEM SET wal_level = logical, then restart that server.',
    });
  }
  if (mayReplicate !== 't') {
    throw new SqlError('42501', `role "${user}" of the database may not replicate`, {
      hint: `ALTER ROLE ${identifier(user)} REPLICATION, in that database.`,
    });
  }
}

/** The table as it is now; throws SqlError where it cannot be followed. */
export async function describeTable(
  session: UpstreamSession,
  options: PostgresOptions,
  wanted: WantedColumns,
): Promise<UpstreamTable> {
  const name = `${options.schema}.${options.table}`;
  const [found] = await session.query(
    `SELECT c.oid, c.relkind, c.relreplident FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${literal(options.schema)} AND c.relname = ${literal(options.table)}`,
  );
  if (found === undefined) {
    throw new SqlError('42P01', `table "${name}" does not exist in database "${options.database}"`, {
      hint: 'Option "table" is its name as the catalog has it, such as \'public.orders\', without quotes.',
    });
  }
  const [oid, kind, identity] = found as string[];
  if (kind !== 'r') {
    throw new SqlError('0A000', `"${name}" is no plain table`, {
      hint: kind === 'p' ? 'Partitions can be read as tables of their own.' : undefined,
    });
  }
  const columns = await columnsOf(session, oid, name, wanted);
  await checkPublication(session, options, wanted);
  await checkKey(session, oid, identity, name, wanted);
  return { oid: Number(oid), identity, columns };
}

/** Its rows may be read, which is not needed any more when they have been: changes come by the publication. */
export async function checkReadable(session: UpstreamSession, options: PostgresOptions, oid: number): Promise<void> {
  const [[maySelect]] = await session.query(`SELECT has_table_privilege(${oid}, 'SELECT')`);
  if (maySelect !== 't') {
    throw new SqlError(
      '42501',
      `role "${options.user}" of the database may not read table "${options.schema}.${options.table}"`,
      {
        hint: `GRANT SELECT ON ${nameOf(options)} TO ${identifier(options.user)}, in that database.`,
      },
    );
  }
}

/**
 * Keeps the table what it is until the transaction ends. Throws where it was written anew (ALTER TABLE, TRUNCATE) since the transaction's snapshot was taken, which sees no row of what was written: another
 * snapshot is needed.
 */
export async function lockUnchanged(session: UpstreamSession, options: PostgresOptions): Promise<void> {
  await session.query(`LOCK TABLE ONLY ${nameOf(options)} IN ACCESS SHARE MODE`);
  // The row is the snapshot's, the function tells of now.
  const [same] = await session.query(
    `SELECT c.relfilenode = pg_relation_filenode(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${literal(options.schema)} AND c.relname = ${literal(options.table)}`,
  );
  if (same?.[0] !== 't') {
    throw new SqlError(
      '55000',
      `table "${options.schema}.${options.table}" has changed while its rows were to be read`,
    );
  }
}

/** The publication has the table, all of its rows and the columns, and tells of every kind of change. */
async function checkPublication(
  session: UpstreamSession,
  options: PostgresOptions,
  { names }: WantedColumns,
): Promise<void> {
  const { publication, schema, table } = options;
  const name = `${schema}.${table}`;
  const [kinds] = await session.query(
    `SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate FROM pg_publication WHERE pubname = ${literal(publication)}`,
  );
  const made = `CREATE PUBLICATION ${identifier(publication)} FOR TABLE ${nameOf(options)}, in that database.`;
  if (kinds === undefined)
    throw new SqlError('42704', `publication "${publication}" does not exist in the database`, { hint: made });
  if (kinds[0] !== 't') {
    throw new SqlError('55000', `publication "${publication}" does not tell of every kind of change`, {
      hint: `ALTER PUBLICATION ${identifier(publication)} SET (publish = 'insert, update, delete, truncate'), in that database.`,
    });
  }
  // Filters and lists of columns are there from PostgreSQL 15 on.
  const [listed] = await session.query(
    `SELECT to_jsonb(t) ->> 'rowfilter', to_jsonb(t) ->> 'attnames' FROM pg_publication_tables t
      WHERE pubname = ${literal(publication)} AND schemaname = ${literal(schema)} AND tablename = ${literal(table)}`,
  );
  if (listed === undefined) {
    throw new SqlError('42704', `publication "${publication}" does not have table "${name}"`, {
      hint: `ALTER PUBLICATION ${identifier(publication)} ADD TABLE ${nameOf(options)}, in that database.`,
    });
  }
  const [filter, attributes] = listed;
  if (filter !== null)
    throw new SqlError('0A000', `publication "${publication}" has only some rows of table "${name}"`, {
      hint: 'Publish all, and filter in a view.',
    });
  const published = attributes === null ? names : (JSON.parse(attributes) as string[]);
  const missing = names.find((column) => !published.includes(column));
  if (missing !== undefined)
    throw new SqlError('42703', `publication "${publication}" does not have column "${missing}" of table "${name}"`);
}

async function columnsOf(
  session: UpstreamSession,
  oid: string,
  name: string,
  { names }: WantedColumns,
): Promise<UpstreamColumn[]> {
  const rows = await session.query(
    `SELECT attname, attnum, atttypid, atttypmod, attgenerated FROM pg_attribute WHERE attrelid = ${oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  );
  const missing = names.find((column) => !rows.some(([there]) => there === column));
  if (missing !== undefined) throw new SqlError('42703', `table "${name}" of the database has no column "${missing}"`);
  const read = rows.filter(([column]) => names.includes(column as string));
  const generated = read.find((row) => row[4] !== '');
  if (generated !== undefined) {
    throw new SqlError(
      '0A000',
      `column "${generated[0]}" of table "${name}" is generated, and changes do not have it`,
      {
        hint: 'Leave it out, and compute it in a view.',
      },
    );
  }
  return read.map(([column, number, type, modifier]) => ({
    name: column as string,
    number: Number(number),
    type: Number(type),
    modifier: Number(modifier),
  }));
}

/** Changes have the columns of the key here of the old row, and these tell rows apart there. */
async function checkKey(
  session: UpstreamSession,
  oid: string,
  identity: string,
  name: string,
  { key }: WantedColumns,
): Promise<void> {
  const which = { d: 'indisprimary', i: 'indisreplident', f: 'true' }[identity] ?? 'false';
  const rows = await session.query(
    `SELECT array_to_json(ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey[0:indnkeyatts - 1]) ORDER BY attname)) FROM pg_index
      WHERE indrelid = ${oid} AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND indexprs IS NULL AND ${which}`,
  );
  const own = JSON.stringify([...key].sort());
  const has = rows.map(([columns]) => JSON.stringify((JSON.parse(columns as string) as string[]).sort()));
  if (has.includes(own)) return;
  const hint =
    "The primary key here must have the columns of that table's, or of a unique index that is its REPLICA IDENTITY, or of any unique index with REPLICA IDENTITY FULL.";
  const what = identity === 'n' ? 'do not tell which row they change' : `do not tell rows by (${key.join(', ')})`;
  throw new SqlError('42P10', `changes of table "${name}" ${what}`, { hint });
}

/** What has changed between two looks at a table, which makes it another; null: nothing of what is read. */
export function difference(before: UpstreamTable, after: UpstreamTable): string | null {
  if (before.oid !== after.oid) return 'was dropped and made again';
  if (before.identity !== after.identity) return 'has another REPLICA IDENTITY';
  for (const [i, { name, number, type, modifier }] of before.columns.entries()) {
    const now = after.columns[i];
    if (now?.name !== name || now.number !== number) return `has another column "${name}"`;
    if (now.type !== type || now.modifier !== modifier) return `has another type of column "${name}"`;
  }
  return null;
}
