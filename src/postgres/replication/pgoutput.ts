/**
 * One tick as the messages of PostgreSQL's output plugin pgoutput (manual, "Logical Replication Message Formats", protocol version 1).
 *
 *   Begin · for each relation: [Type ..] [Relation, once] · Delete .. · Update .. · Insert .. · Commit        each in an XLogData in a CopyData
 *
 * Within a tick a relation's rows have no order: what goes comes first, so that who takes them in this order meets no key twice. Rows of a relation with a primary key are
 * told by their key; of others, as views, what goes has all columns (REPLICA IDENTITY FULL). Where the key is known, of a view's rows too, a row that went while another of its key came is an update.
 */
import type { Batch } from '../../../operators/batch/batch.ts';
import { weightOf } from '../../../operators/batch/builder.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { declaredOid } from '../../../operators/types.ts';
import { userTypeOf } from '../../../planner/types/user_types.ts';
import type { PublishedRelation, PublishedTick } from '../../engine.ts';
import type { Output } from '../wire/output.ts';
import { BACKEND } from '../wire/protocol.ts';
import { commitOf, endOf } from './lsn.ts';
import { TupleWriter } from './tuple_writer.ts';

const ZERO = Buffer.alloc(1);

export class PgOutput {
  readonly #out: Output;
  readonly #context: EvalContext;
  readonly #clock: () => bigint;
  /** Of each relation, what its last Relation message said. */
  readonly #told = new Map<number, { text: string; tuples: TupleWriter }>();
  readonly #types = new Set<number>();
  #commit = 0n;

  /** `clock`: microseconds since 2000-01-01, when a message is sent. */
  constructor(out: Output, context: EvalContext, clock: () => bigint) {
    this.#out = out;
    this.#context = context;
    this.#clock = clock;
  }

  /** Yields where the reader may have to be waited for. Throws the error of a value that cannot be shown; the message is taken back. */
  *tick({ tick, clock, changes }: PublishedTick): Generator<void> {
    this.#commit = commitOf(tick);
    this.#message('B', () => {
      this.#int64(this.#commit);
      this.#int64(clock);
      this.#out.int32(Number(BigInt.asIntN(32, tick)));
    });
    for (const { relation, delta } of changes) yield* this.#relation(relation, delta);
    this.#message('C', () => {
      this.#byte(0);
      this.#int64(this.#commit);
      this.#int64(endOf(tick));
      this.#int64(clock);
    });
  }

  /** Says how far the log is. */
  keepalive(end: bigint, wantsReply: boolean): void {
    const out = this.#out;
    out.begin(BACKEND.copyData);
    this.#byte('k'.charCodeAt(0));
    this.#int64(end);
    this.#int64(this.#clock());
    this.#byte(wantsReply ? 1 : 0);
    out.end();
  }

  *#relation(relation: PublishedRelation, delta: Batch): Generator<void> {
    const tuples = this.#tell(relation);
    const { oid, publish, toldByKey } = relation;
    const removed: number[] = [];
    const added: number[] = [];
    for (let row = 0; row < delta.n; row++) {
      const weight = weightOf(delta, row);
      for (let i = Math.abs(weight); i > 0; i--) (weight < 0 ? removed : added).push(row);
    }
    const before = tuples.hasKey ? pairs(tuples, delta, removed, added) : NO_PAIRS;
    const old = toldByKey ? 'K' : 'O';
    if (publish.delete) {
      const changed = new Set(before.values());
      for (const row of removed) {
        if (changed.has(row)) continue;
        this.#change('D', oid, () => tuples.write(this.#out, old, delta, row));
        yield;
      }
    }
    for (const row of added) {
      const former = before.get(row);
      if (former === undefined ? !publish.insert : !publish.update) continue;
      this.#change(former === undefined ? 'I' : 'U', oid, () => {
        if (former !== undefined && !toldByKey) tuples.write(this.#out, old, delta, former);
        tuples.write(this.#out, 'N', delta, row);
      });
      yield;
    }
  }

  /** The relation's columns are known to the reader. */
  #tell(relation: PublishedRelation): TupleWriter {
    const { oid, schema, name, columns, toldByKey } = relation;
    const text = JSON.stringify([schema, name, toldByKey, columns]);
    const told = this.#told.get(oid);
    if (told?.text === text) return told.tuples;
    const out = this.#out;
    for (const { type } of columns) this.#tellType(declaredOid(type));
    this.#message('R', () => {
      out.int32(oid);
      this.#string(schema);
      this.#string(name);
      this.#byte((toldByKey ? 'd' : 'f').charCodeAt(0));
      out.int16(columns.length);
      for (const column of columns) {
        this.#byte(column.isKey || !toldByKey ? 1 : 0);
        this.#string(column.name);
        out.int32(declaredOid(column.type));
        out.int32(column.type.typmod);
      }
    });
    const tuples = new TupleWriter(columns, this.#context);
    this.#told.set(oid, { text, tuples });
    return tuples;
  }

  /** Types that users made are named: the reader has other OIDs. */
  #tellType(oid: number): void {
    const type = userTypeOf(oid);
    if (type === undefined || this.#types.has(oid)) return;
    this.#types.add(oid);
    this.#message('Y', () => {
      this.#out.int32(oid);
      this.#string(type.schema);
      this.#string(type.name);
    });
  }

  #change(type: 'I' | 'U' | 'D', oid: number, tuple: () => void): void {
    this.#message(type, () => {
      this.#out.int32(oid);
      tuple();
    });
  }

  /** Any message in an XLogData. */
  #message(type: string, body: () => void): void {
    const out = this.#out;
    out.begin(BACKEND.copyData);
    this.#byte('w'.charCodeAt(0));
    this.#int64(this.#commit);
    this.#int64(this.#commit);
    this.#int64(this.#clock());
    this.#byte(type.charCodeAt(0));
    try {
      body();
    } catch (error) {
      out.abandon();
      throw error;
    }
    out.end();
  }

  #byte(value: number): void {
    const out = this.#out;
    out.reserve(1);
    out.buf[out.pos++] = value;
  }

  #int64(value: bigint): void {
    this.#out.int32(Number(BigInt.asIntN(32, value >> 32n)));
    this.#out.int32(Number(BigInt.asIntN(32, value)));
  }

  #string(value: string): void {
    this.#out.text(value);
    this.#out.bytes(ZERO);
  }
}

const NO_PAIRS: ReadonlyMap<number, number> = new Map();

/** For each row that came while one of its key went, that one. */
function pairs(tuples: TupleWriter, delta: Batch, removed: number[], added: number[]): ReadonlyMap<number, number> {
  if (removed.length === 0 || added.length === 0) return NO_PAIRS;
  const went = new Map(removed.map((row) => [tuples.key(delta, row), row]));
  return new Map(
    added.flatMap((row): [number, number][] => {
      const former = went.get(tuples.key(delta, row));
      return former === undefined ? [] : [[row, former]];
    }),
  );
}
