/**
 * The messages of a replication as transactions: the records of each table that a transaction changes, when it has come whole.
 *
 *   Begin · [Relation: which tables read it] · Insert, Update, Delete, Truncate -> records of tables · Commit -> all of them
 *
 * What has come of the transaction counts as memory in use (budget.ts). One that is larger than `most` is refused where sources would be held: queued, it would hold them for ever.
 */
import { budget } from '../../../operators/batch/budget.ts';
import { pages } from '../../../operators/batch/pages.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { MessageReader } from '../../postgres/wire/message_reader.ts';
import type { Message } from '../message_batch.ts';
import {
  type FieldPlaces,
  type RelationMessage,
  readChange,
  readRelation,
  readTime,
  readTruncated,
} from './changes.ts';
import type { PostgresSource } from './source.ts';

/** A table as the stream's messages about it are read. */
export interface Followed {
  table: PostgresSource;
  places: FieldPlaces;
}

export interface Taker {
  /** The tables that read a relation as it is now that the transaction of this number has committed. */
  described(relation: RelationMessage, xid: number): Promise<Followed[]>;
  /** A transaction has come whole, which ends there in the log. */
  committed(end: bigint, parts: Map<PostgresSource, Message[]>): void;
}

const KIND = 'transactions';
/** A record takes so much beside its bytes, of which it has up to two runs. */
const RECORD_BYTES = 256;

export class Transactions {
  readonly #taker: Taker;
  readonly #most: () => number;
  readonly #relations = new Map<number, Followed[]>();
  /** Of the transaction that comes; null: none does. */
  #parts: Map<PostgresSource, Message[]> | null = null;
  #commit = 0n;
  #time = -1;
  #xid = 0;
  #bytes = 0;

  /** `most`: bytes that a transaction may have however little memory there is. */
  constructor(taker: Taker, most: () => number) {
    this.#taker = taker;
    this.#most = most;
  }

  get isOpen(): boolean {
    return this.#parts !== null;
  }

  async take(message: MessageReader): Promise<void> {
    const type = message.letter();
    switch (type) {
      case 'B':
        this.#parts = new Map();
        this.#commit = message.uint64();
        this.#time = readTime(message);
        this.#xid = message.uint32();
        return;
      case 'R': {
        const relation = readRelation(message);
        this.#relations.set(relation.oid, await this.#taker.described(relation, this.#xid));
        return;
      }
      case 'I':
      case 'U':
      case 'D': {
        const followed = this.#wanting(message.uint32());
        if (followed.length === 0) return;
        const records = readChange(
          message,
          followed.map(({ places }) => places),
          this.#time,
        );
        records.forEach((record, i) => {
          this.#add(followed[i].table, record);
        });
        return;
      }
      case 'T':
        for (const oid of readTruncated(message))
          for (const { table } of this.#wanting(oid))
            this.#add(table, { key: null, value: null, timestamp: this.#time, headers: [] });
        return;
      case 'C': {
        message.byte();
        message.uint64();
        this.#taker.committed(message.uint64(), this.#parts ?? new Map());
        this.close();
      }
    }
  }

  /** What has come of a transaction is let go. */
  close(): void {
    this.#parts = null;
    budget.count(KIND, -this.#bytes);
    this.#bytes = 0;
  }

  /** Tables that do not have this transaction yet. */
  #wanting(oid: number): Followed[] {
    const followed = this.#relations.get(oid) ?? [];
    return followed.filter(
      ({ table: { queued, follows } }) => follows && queued !== null && this.#commit >= queued.lsn,
    );
  }

  #add(table: PostgresSource, record: Message): void {
    const records = this.#parts?.get(table);
    if (records === undefined) this.#parts?.set(table, [record]);
    else records.push(record);
    const bytes = RECORD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
    this.#bytes += bytes;
    budget.count(KIND, bytes);
    if (this.#bytes > this.#most() && pages.usedBytes + budget.outsideBytes > budget.hold) throw this.#tooLarge();
  }

  #tooLarge(): SqlError {
    const mega = (bytes: number) => Math.floor(bytes / 2 ** 20);
    return new SqlError('53200', `transaction ${this.#xid} of the database does not fit in memory`, {
      detail: `Of ${mega(budget.limit)} MB, ${mega(pages.usedBytes + budget.outsideBytes)} are in use when ${mega(this.#bytes)} MB of it have come. It is read again until it fits.`,
      hint: 'Drop views or rows that are not needed, or start with a greater --memory-limit.',
    });
  }
}

/** Where a relation has the columns that a table reads; null: it does not have them any more. */
export function placesIn({ columns }: RelationMessage, { wanted, queued }: PostgresSource): FieldPlaces | null {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const same = queued?.table.columns.every(({ name, type, modifier }) => {
    const there = columns[at(name)];
    return there !== undefined && there.type === type && there.modifier === modifier;
  });
  return same ? { fields: wanted.names.map(at), key: wanted.key.map(at) } : null;
}
