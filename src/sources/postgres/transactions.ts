/**
 * The messages of a replication as transactions: the records of each table that a transaction changes, when it has come whole.
 *
 *   Begin · [Relation: which tables read it] · Insert, Update, Delete, Truncate -> records of tables · Commit -> all of them
 */
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

export class Transactions {
  readonly #taker: Taker;
  readonly #relations = new Map<number, Followed[]>();
  /** Of the transaction that comes; null: none does. */
  #parts: Map<PostgresSource, Message[]> | null = null;
  #commit = 0n;
  #time = -1;
  #xid = 0;

  constructor(taker: Taker) {
    this.#taker = taker;
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
        this.#parts = null;
      }
    }
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
