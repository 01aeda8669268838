/**
 * The columns of a stream that somebody reads, and the decoder that makes them: no others are looked at. It is made anew when more are needed.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import { type Batch, type Column, withoutValidity } from '../../operators/batch/batch.ts';
import { BatchBuilder } from '../../operators/batch/builder.ts';
import { kernels } from '../../operators/kernels/index.ts';
import type { ColType } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ConnectorSpec } from '../catalog/objects.ts';
import type { Decoder } from '../formats/format.ts';
import { makeDecoder } from '../formats/index.ts';

export class StreamColumns {
  readonly #relation: Relation;
  readonly #spec: ConnectorSpec;
  readonly needed = new Set<number>();
  #decoder: Decoder | null = null;
  #list: number[] = [];
  #types: ColType[] = [];
  #time = -1;

  constructor(relation: Relation, spec: ConnectorSpec) {
    this.#relation = relation;
    this.#spec = spec;
    if (relation.watermark !== undefined) this.needed.add(relation.watermark.column);
    // Rows of keyed tables are stored whole.
    if (spec.envelope === 'upsert') this.need(relation.columns.map((_, i) => i));
  }

  /** Those that the present decoder makes, in this order; another list when they change. */
  get list(): number[] {
    return this.#list;
  }

  /** Which of them has the time; -1: none. */
  get time(): number {
    return this.#time;
  }

  /** Columns that dependents read; decoding starts to produce them from the next batch on. */
  need(columns: number[]): void {
    const before = this.needed.size;
    for (const c of columns) this.needed.add(c);
    if (this.needed.size !== before) this.release();
  }

  release(): void {
    this.#decoder?.release();
    this.#decoder = null;
  }

  decoder(): Decoder {
    let decoder = this.#decoder;
    if (decoder === null) {
      this.#list = [...this.needed].sort((a, b) => a - b);
      this.#types = this.#list.map((c) => this.#relation.columns[c].type);
      this.#time = this.#list.indexOf(this.#relation.watermark?.column ?? -1);
      decoder = makeDecoder({ ...this.#spec.decoder, needed: this.#list }, this.#spec);
      this.#decoder = decoder;
    }
    return decoder;
  }

  /** For rows of the present decoder. */
  builder(arena: Arena, capacity: number): BatchBuilder {
    this.decoder();
    return new BatchBuilder(this.#types, arena, capacity);
  }

  /** Columns at their places in the relation; those that nobody needs are missing. */
  placed(batch: Batch, list = this.#list): Batch {
    const columns: Column[] = new Array(this.#relation.columns.length);
    for (let i = 0; i < list.length; i++) columns[list[i]] = withoutNulls(batch.columns[i], batch.n);
    return { n: batch.n, columns, weights: batch.weights };
  }
}

/** A column that has no NULL says so, which spares every operator the look. */
function withoutNulls(column: Column, n: number): Column {
  return column.valid === 0 || kernels.allSet(column.valid, n) === 0 ? column : withoutValidity(column);
}
