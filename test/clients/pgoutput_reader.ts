/** A reader of logical replication for tests: the protocol by hand over pg's connection, and what its changes add up to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import pg from 'pg';
import { lsnText } from '../../src/postgres/replication/lsn.ts';

export interface Change {
  kind: 'I' | 'U' | 'D';
  relation: string;
  old: (string | null)[] | null;
  row: (string | null)[] | null;
}

interface Relation {
  name: string;
  columns: { name: string; isKey: boolean }[];
  full: boolean;
}

/** What one that stopped knows: another goes on with it. */
export interface Known {
  transactions: Change[][];
  /** Rows of each relation, as many times as they are there. */
  state: Map<string, Map<string, number>>;
  /** The position up to which all is known. */
  position: bigint;
}

export const nothing = (): Known => ({ transactions: [], state: new Map(), position: 0n });

const EPOCH_MS = 946684800000;

export class Follower implements Known {
  readonly transactions: Change[][];
  readonly state: Known['state'];
  readonly #client: pg.Client;
  readonly #relations = new Map<number, Relation>();
  #open: Change[] = [];
  /** Of the transaction that has begun. */
  #commit: bigint | null = null;
  position: bigint;
  #failure: Error | null = null;
  /** Resolves when the server has ended the stream, too. */
  #running: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => undefined;

  private constructor(client: pg.Client, known: Known) {
    this.#client = client;
    this.transactions = known.transactions;
    this.state = known.state;
    this.position = known.position;
  }

  /** Makes the slot unless `known` says that it is there. */
  static async start(
    config: pg.ClientConfig,
    slot: string,
    publication: string,
    known: Known | null = null,
    words = '',
  ): Promise<Follower> {
    const client = new pg.Client({ ...config, replication: 'database' } as pg.ClientConfig);
    client.on('error', () => undefined);
    await client.connect();
    if (known === null) await client.query(`CREATE_REPLICATION_SLOT "${slot}" ${words} LOGICAL pgoutput`);
    const follower = new Follower(client, known ?? nothing());
    await follower.#start(
      `START_REPLICATION SLOT "${slot}" LOGICAL ${lsnText(follower.position)} (proto_version '1', publication_names '"${publication}"')`,
    );
    return follower;
  }

  get #connection() {
    return (
      this.#client as unknown as {
        connection: pg.Connection & { stream: NodeJS.ReadWriteStream & { destroy(): void } };
      }
    ).connection;
  }

  async #start(command: string): Promise<void> {
    const connection = this.#connection as unknown as NodeJS.EventEmitter;
    const begun = once(connection, 'replicationStart');
    connection.on('copyData', ({ chunk }: { chunk: Buffer }) => {
      try {
        this.#take(chunk);
      } catch (error) {
        this.#failure = error as Error;
      }
      this.#wake();
    });
    this.#running = this.#client.query(command).catch((error: Error) => {
      this.#failure = error;
      this.#wake();
    });
    await begun;
  }

  /** Until so many transactions have come in all. */
  until(count: number): Promise<void> {
    return this.#when(() => this.transactions.length >= count);
  }

  /** Until the server has said that the reader has all up to this tick. */
  upTo(tick: bigint): Promise<void> {
    return this.#when(() => this.position >= 8n * tick + 8n);
  }

  async #when(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!holds()) {
      if (this.#failure !== null) throw this.#failure;
      assert.ok(performance.now() < deadline, `nothing comes: ${JSON.stringify(this.transactions.slice(-3))}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  }

  #take(chunk: Buffer): void {
    const kind = String.fromCharCode(chunk[0]);
    if (kind === 'k') {
      if (this.#commit !== null)
        assert.ok(chunk.readBigUInt64BE(1) < this.#commit, 'the end of a transaction was told before it was sent');
      this.#confirm(chunk.readBigUInt64BE(1));
      return;
    }
    assert.equal(kind, 'w');
    this.#message(new Reader(chunk.subarray(25)));
  }

  /** Says that all up to there is kept. */
  #confirm(end: bigint): void {
    if (end > this.position) this.position = end;
    this.say(this.position);
  }

  /** A status update with any position. */
  say(position: bigint, wantsReply = false): void {
    const status = Buffer.alloc(34);
    status.write('r', 0, 'latin1');
    for (const at of [1, 9, 17]) status.writeBigUInt64BE(position, at);
    status.writeBigInt64BE(BigInt(Date.now() - EPOCH_MS) * 1000n, 25);
    status[33] = wantsReply ? 1 : 0;
    (this.#connection as unknown as { sendCopyFromChunk(chunk: Buffer): void }).sendCopyFromChunk(status);
  }

  #message(reader: Reader): void {
    const type = reader.letter();
    switch (type) {
      case 'B':
        this.#open = [];
        this.#commit = reader.int64();
        return;
      case 'R': {
        const oid = reader.int32();
        reader.text();
        const name = reader.text();
        const full = reader.letter() === 'f';
        const columns = Array.from({ length: reader.int16() }, () => {
          const isKey = reader.byte() === 1;
          const column = reader.text();
          reader.int32();
          reader.int32();
          return { name: column, isKey };
        });
        this.#relations.set(oid, { name, columns, full });
        return;
      }
      case 'Y':
        return;
      case 'I':
      case 'U':
      case 'D':
        this.#change(type, reader);
        return;
      case 'C': {
        reader.byte();
        reader.int64();
        this.#commit = null;
        const end = reader.int64();
        // What comes again after a reader went without a word is known: a commit counts once.
        this.transactions.push(this.#open);
        for (const change of this.#open) this.#apply(change);
        this.#confirm(end);
        return;
      }
      default:
        assert.fail(`message ${type}`);
    }
  }

  #change(kind: Change['kind'], reader: Reader): void {
    const relation = this.#relations.get(reader.int32());
    assert.ok(relation !== undefined, 'a change of a relation that was not told');
    let old: Change['old'] = null;
    let mark = reader.letter();
    if (mark === 'K' || mark === 'O') {
      assert.equal(mark, relation.full ? 'O' : 'K');
      old = reader.tuple();
      mark = kind === 'D' ? '' : reader.letter();
    }
    const row = mark === 'N' ? reader.tuple() : null;
    assert.ok(reader.atEnd);
    this.#open.push({ kind, relation: relation.name, old, row });
  }

  #apply({ kind, relation: name, old, row }: Change): void {
    const relation = [...this.#relations.values()].findLast((one) => one.name === name) as Relation;
    let held = this.state.get(name);
    if (held === undefined) {
      held = new Map();
      this.state.set(name, held);
    }
    const gone = kind === 'I' ? null : (old ?? row);
    if (gone !== null) {
      const isIt = (text: string) => {
        const values = JSON.parse(text) as (string | null)[];
        return relation.columns.every(({ isKey }, i) => (!relation.full && !isKey) || values[i] === gone[i]);
      };
      const found = [...held.keys()].find(isIt);
      assert.ok(found !== undefined, `${name} has no row ${JSON.stringify(gone)}`);
      const left = (held.get(found) as number) - 1;
      if (left === 0) held.delete(found);
      else held.set(found, left);
    }
    if (row !== null) held.set(JSON.stringify(row), (held.get(JSON.stringify(row)) ?? 0) + 1);
  }

  /** Its rows as lists of texts in JSON, in order. */
  rowsOf(name: string): string[] {
    return [...(this.state.get(name) ?? [])]
      .flatMap(([text, count]) => Array.from({ length: count }, () => text))
      .sort();
  }

  /** Ends the stream and the session in order. */
  async end(): Promise<void> {
    (this.#connection as unknown as { endCopyFrom(): void }).endCopyFrom();
    await this.#running;
    await this.#client.end();
  }

  /** Takes nothing of what comes for so long. */
  async rest(ms: number): Promise<void> {
    const { stream } = this.#connection;
    stream.pause();
    await new Promise((resolve) => setTimeout(resolve, ms));
    stream.resume();
  }

  /** As a lost network does. */
  async cut(): Promise<void> {
    this.#connection.stream.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++];
  }

  letter(): string {
    return String.fromCharCode(this.byte());
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  tuple(): (string | null)[] {
    return Array.from({ length: this.int16() }, () => {
      const kind = this.letter();
      if (kind === 'n') return null;
      assert.equal(kind, 't');
      const length = this.int32();
      this.#at += length;
      return this.#bytes.toString('utf8', this.#at - length, this.#at);
    });
  }
}
