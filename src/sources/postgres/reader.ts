/**
 * Reads the transactions of a database for all tables that name the same database, publication and slot: one connection, one slot, one order.
 *
 *   new tables:   BEGIN; a slot and its snapshot at C; COPY of each table; COMMIT        in pieces, the last of which says: followed from C on
 *   all tables:   START_REPLICATION from the least place                                 each transaction is a unit (units.ts): a table takes it unless it committed before its place
 *   every second: the slot is told the least place that is on the disk here              what is before it, the database may forget
 *
 * A database or a connection that goes is tried again for ever. What was queued stays, and what was half read comes again. Rows of a table that were half copied come again
 * after a record that empties the table: the snapshot is gone with its connection.
 *
 * The first tables are copied under the snapshot of the slot that stays; later ones, and those whose copy was cut short, under that of one that goes with its session. While they are copied
 * nothing is streamed.
 *
 * A table that has been altered there is ended (UpstreamTable says why), and no other. It is looked at whenever the stream names it anew and every CHECK_MS.
 *
 * Memory: `buffer_bytes`, and the transaction that comes: it is one moment, so it is here whole before a tick takes it. One that does not fit is an error of the tables (transactions.ts),
 * and tried again as a database that is away.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SqlError } from '../../../operators/errors.ts';
import { lsnText, parseLsn } from '../../postgres/replication/lsn.ts';
import { MessageReader } from '../../postgres/wire/message_reader.ts';
import type { Message } from '../message_batch.ts';
import type { RawBatch } from '../source.ts';
import type { RelationMessage } from './changes.ts';
import { commitSeen } from './commit_seen.ts';
import type { DatabaseOptions } from './options.ts';
import { COPYING, placeText } from './place.ts';
import { isOfTable, messageOf, UpstreamSession } from './session.ts';
import { checkSlot, dropSlot } from './slot.ts';
import type { PostgresSource } from './source.ts';
import { Status } from './status.ts';
import { type Followed, placesIn, Transactions } from './transactions.ts';
import { Units } from './units.ts';
import {
  checkDatabase,
  checkReadable,
  describeTable,
  difference,
  identifier,
  literal,
  lockUnchanged,
  nameOf,
  type UpstreamTable,
} from './upstream_table.ts';

type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

const FIRST_PAUSE_MS = 100;
const GREATEST_PAUSE_MS = 5000;
/** So often a slot that is in use is tried before it is told. */
const PATIENT_TRIES = 5;
/** How often the slot is told how far all is kept. */
const STATUS_MS = 1000;
/** How often tables are looked at, and places move that no change has moved. */
const CHECK_MS = 10_000;
/** A piece of a table's rows. */
const PIECE_ROWS = 2000;
const PIECE_BYTES = 1 << 20;

export class TransactionReader {
  readonly units = new Units();
  readonly options: DatabaseOptions;
  readonly #durable: () => Promise<void>;
  readonly #log: Log;
  readonly #tables = new Set<PostgresSource>();
  /** Sessions of the present attempt; aborted when it is to end. */
  #attempt = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #forgetting: Promise<void> = Promise.resolve();
  /** It has no tables. */
  #closed = true;
  /** Of its log, as the database said last. */
  logEnd: bigint | null = null;
  /** All that committed before there has been read. */
  #received = 0n;

  /** `durable`: resolves when all that ticks have taken is on the disk. */
  constructor(options: DatabaseOptions, durable: () => Promise<void>, log: Log) {
    this.options = options;
    this.#durable = durable;
    this.#log = log;
  }

  /** It has tables. */
  get isUsed(): boolean {
    return !this.#closed;
  }

  add(table: PostgresSource): void {
    this.#tables.add(table);
    this.#attempt.abort();
    if (!this.#closed) return;
    this.#closed = false;
    this.#running = Promise.all([this.#running, this.#forgetting]).then(() => this.#run());
  }

  async remove(table: PostgresSource): Promise<void> {
    if (!this.#tables.delete(table)) return;
    this.units.remove(table);
    if (this.#tables.size > 0) return;
    this.#closed = true;
    this.#attempt.abort();
    await this.#running;
  }

  /** A table is gone for good: with the last one, the slot goes. */
  forget(): Promise<void> {
    if (this.#closed) this.#forgetting = this.#forgetting.then(() => this.#dropSlot());
    return this.#forgetting;
  }

  async #dropSlot(): Promise<void> {
    const { slot } = this.options;
    try {
      const session = await UpstreamSession.open(this.options, false);
      try {
        await dropSlot(session, slot);
      } finally {
        await session.close();
      }
    } catch (error) {
      const how = `SELECT pg_drop_replication_slot(${literal(slot)})`;
      const { host, port } = this.options;
      this.#log(
        'warn',
        `replication slot "${slot}" of PostgreSQL at ${host}:${port} could not be dropped, and makes it keep its log: ${(error as Error).message}. There: ${how}`,
      );
    }
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#closed; ) {
      this.#attempt = new AbortController();
      const { signal } = this.#attempt;
      try {
        await this.#read(signal, () => {
          failures = 0;
          for (const table of this.#followed()) table.tell(null);
        });
      } catch (error) {
        if (signal.aborted) continue;
        // The process that served the connection before may not have seen its end yet.
        const isEarly = error instanceof SqlError && error.sqlstate === '55006' && failures < PATIENT_TRIES;
        if (!isEarly) for (const table of this.#tables) table.tell(messageOf(error));
        const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures++, GREATEST_PAUSE_MS);
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Until something fails or the tables are others. `well`: called when transactions begin to come. */
  async #read(signal: AbortSignal, well: () => void): Promise<void> {
    const sql = await this.#open(signal, false);
    try {
      const isThere = await checkSlot(sql, this.options.slot, this.#least());
      await checkDatabase(sql, this.options);
      const fresh = await this.#readable(sql);
      if (fresh.length > 0) await this.#copy(fresh, isThere, signal);
      if (this.#followed().length === 0) {
        await sleep(CHECK_MS, undefined, { signal });
        return;
      }
      await this.#checkTables(sql);
      await this.#stream(sql, signal, well);
    } finally {
      sql.leave();
    }
  }

  /** A session that goes with the attempt. */
  async #open(signal: AbortSignal, isWalsender: boolean): Promise<UpstreamSession> {
    const session = await UpstreamSession.open(this.options, isWalsender);
    if (signal.aborted) session.leave();
    signal.addEventListener('abort', () => session.leave(), { once: true });
    return session;
  }

  #followed(): PostgresSource[] {
    return [...this.#tables].filter(({ follows }) => follows);
  }

  /** From where on something is missing; null: nothing is followed. */
  #least(): bigint | null {
    const places = this.#followed().map(({ queued }) => queued?.lsn ?? 0n);
    return places.length === 0 ? null : places.reduce((least, lsn) => (lsn < least ? lsn : least));
  }

  /** New tables whose rows can be read; the others say why not. */
  async #readable(sql: UpstreamSession): Promise<PostgresSource[]> {
    const readable: PostgresSource[] = [];
    for (const table of this.#tables) {
      if (table.queued !== null) continue;
      try {
        const { oid } = await describeTable(sql, table.options, table.wanted);
        await checkReadable(sql, table.options, oid);
        readable.push(table);
      } catch (error) {
        if (!isOfTable(error)) throw error;
        table.tell(messageOf(error));
      }
    }
    return readable;
  }

  /** Reads the rows that new tables have, all as of one moment. */
  async #copy(tables: PostgresSource[], isThere: boolean, signal: AbortSignal): Promise<void> {
    const { slot } = this.options;
    const session = await this.#open(signal, true);
    try {
      const name = isThere ? `tidemark_copy_${randomBytes(8).toString('hex')}` : slot;
      await session.query('BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ');
      const [made] = await session.query(
        `CREATE_REPLICATION_SLOT ${identifier(name)} ${isThere ? 'TEMPORARY ' : ''}LOGICAL pgoutput USE_SNAPSHOT`,
      );
      const lsn = parseLsn(made[1] as string);
      for (const { options } of tables) await lockUnchanged(session, options);
      const there = new Map<PostgresSource, UpstreamTable>();
      for (const table of tables) {
        there.set(table, await describeTable(session, table.options, table.wanted));
        await this.#copyRows(session, table, signal);
      }
      this.units.push(
        new Map(
          [...there]
            .filter(([table]) => this.#tables.has(table))
            .map(([table, described]) => [table, table.batch([], placeText({ lsn, table: described, stopped: null }))]),
        ),
      );
    } finally {
      session.leave();
    }
  }

  async #copyRows(session: UpstreamSession, table: PostgresSource, signal: AbortSignal): Promise<void> {
    this.units.push(new Map([[table, table.beginning()]]));
    const { wanted, options } = table;
    let messages: Message[] = [];
    let bytes = 0;
    const give = async () => {
      if (messages.length === 0) return;
      this.units.push(new Map([[table, table.batch(messages, COPYING)]]));
      messages = [];
      bytes = 0;
      await this.units.room(options.bufferBytes, signal);
    };
    const list = wanted.names.map(identifier).join(', ');
    for await (const line of session.copyOut(`COPY (SELECT ${list} FROM ONLY ${nameOf(options)}) TO STDOUT`)) {
      messages.push({ key: null, value: Buffer.from(line), timestamp: -1, headers: [] });
      bytes += line.length;
      if (messages.length >= PIECE_ROWS || bytes >= PIECE_BYTES) await give();
      if (signal.aborted || !this.#tables.has(table)) throw new SqlError('57014', 'the table is read no more');
    }
    await give();
  }

  /** Ends tables that are not what they were when their rows were read. */
  async #checkTables(sql: UpstreamSession): Promise<void> {
    for (const table of this.#followed()) {
      const why = await this.#change(sql, table);
      if (why !== null) this.#end(table, why);
    }
  }

  /** Why a table cannot be followed any more; null: it can. */
  async #change(sql: UpstreamSession, { options, wanted, queued }: PostgresSource): Promise<string | null> {
    const again = 'Drop the table here and create it again';
    try {
      const now = await describeTable(sql, options, wanted);
      const what = queued === null ? null : difference(queued.table, now);
      return what === null
        ? null
        : `table "${options.schema}.${options.table}" ${what} since its rows were read, so it is not followed any further. ${again}.`;
    } catch (error) {
      if (!isOfTable(error)) throw error;
      return `${messageOf(error)} It is not followed any further. ${again} when that is mended.`;
    }
  }

  #end(table: PostgresSource, why: string): void {
    if (!table.follows) return;
    this.units.push(new Map([[table, table.end(why)]]));
    table.tell(null);
  }

  async #stream(sql: UpstreamSession, signal: AbortSignal, well: () => void): Promise<void> {
    const { slot, publication } = this.options;
    const session = await this.#open(signal, true);
    const from = this.#least() as bigint;
    this.#received = from;
    await session.replicate(
      `START_REPLICATION SLOT ${identifier(slot)} LOGICAL ${lsnText(from)} (proto_version '1', publication_names ${literal(identifier(publication))})`,
    );
    well();
    const status = new Status(this, session, this.#durable);
    const buffer = () => Math.max(...[...this.#tables].map(({ options }) => options.bufferBytes), 0);
    const taker = {
      described: (relation: RelationMessage, xid: number) => this.#described(sql, relation, xid),
      committed: (end: bigint, parts: Map<PostgresSource, Message[]>) => this.#committed(end, parts),
    };
    const transactions = new Transactions(taker, buffer);
    const timer = setInterval(() => status.say(), STATUS_MS);
    let isDue = false;
    // Wakes the loop below, which waits for messages that may not come.
    let wake = (): void => undefined;
    const checks = setInterval(() => {
      isDue = true;
      wake();
    }, CHECK_MS);
    try {
      for (;;) {
        if (isDue && !transactions.isOpen) {
          isDue = false;
          await this.#checkTables(sql);
          // They are copied by another attempt.
          if ((await this.#readable(sql)).length > 0) return;
          this.#move();
        }
        const message = session.now();
        if (message === null) {
          await Promise.race([session.more(), new Promise<void>((resolve) => (wake = resolve))]);
          continue;
        }
        const kind = message[0];
        if (kind === KEEPALIVE) {
          const end = message.readBigUInt64BE(1);
          this.#logged(end);
          if (!transactions.isOpen && end > this.#received) this.#received = end;
          if (message[17] === 1) status.say();
        } else if (kind === XLOG_DATA) {
          this.#logged(message.readBigUInt64BE(9));
          await transactions.take(new MessageReader(message, 25));
          if (!transactions.isOpen) await this.units.room(buffer(), signal);
        }
      }
    } finally {
      clearInterval(timer);
      clearInterval(checks);
      transactions.close();
      session.leave();
    }
  }

  #logged(end: bigint): void {
    if (this.logEnd === null || end > this.logEnd) this.logEnd = end;
  }

  /** Tables that no change has moved are as far as all that was read. */
  #move(): void {
    const behind = this.#followed().filter(({ queued }) => queued !== null && queued.lsn < this.#received);
    this.units.push(new Map(behind.map((table) => [table, table.batch([], lsnText(this.#received))])));
  }

  /** What all tables that are followed have taken for good; null: none is. */
  settled(): bigint | null {
    let least: bigint | null = null;
    for (const { settled, follows } of this.#tables) {
      if (!follows) continue;
      // Its rows are on their way, and what they are followed by is needed.
      if (settled === null) return null;
      if (least === null || settled.lsn < least) least = settled.lsn;
    }
    return least;
  }

  get received(): bigint {
    return this.#received;
  }

  /** A transaction has come whole. `parts`: the records of those tables that it changes. */
  #committed(end: bigint, parts: Map<PostgresSource, Message[]>): void {
    this.#received = end;
    const there = [...parts].filter(([table]) => this.#tables.has(table) && table.follows);
    this.units.push(
      new Map(
        there.map(([table, messages]): [PostgresSource, RawBatch] => [table, table.batch(messages, lsnText(end))]),
      ),
    );
  }

  /** The tables that read a relation, and where it has their columns. Those that it does not fit any more are ended. */
  async #described(sql: UpstreamSession, relation: RelationMessage, xid: number): Promise<Followed[]> {
    const found: Followed[] = [];
    await commitSeen(sql, xid);
    for (const table of this.#followed()) {
      if (table.queued?.table.oid !== relation.oid) continue;
      const why = await this.#change(sql, table);
      const places = why === null ? placesIn(relation, table) : null;
      if (places !== null) found.push({ table, places });
      else this.#end(table, why ?? `a message about table "${table.options.table}" does not have its columns`);
    }
    return found;
  }
}

const KEEPALIVE = 'k'.charCodeAt(0);
const XLOG_DATA = 'w'.charCodeAt(0);
