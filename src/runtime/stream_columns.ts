/**
 * The columns of a stream that somebody reads, and the decoder that makes them: no others are looked at. It is made anew when more are needed.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { BatchBuilder } from '../../operators/batch/builder.ts';
import { kernels } from '../../operators/kernels/index.ts';
import type { ColType } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ConnectorSpec } from '../catalog/objects.ts';
import type { Decoder, PartialRow } from '../formats/format.ts';
import { makeDecoder } from '../formats/index.ts';
import type { Schemas } from '../registry/schemas.ts';

const NO_PARTIALS: PartialRow[] = [];

export class StreamColumns {
  readonly #relation: Relation;
  readonly #spec: ConnectorSpec;
  readonly #schemas: Schemas | undefined;
  readonly needed = new Set<number>();
  #decoder: Decoder | null = null;
  #list: number[] = [];
  #types: ColType[] = [];
  #time = -1;
  /** What tickBuilder() gives, and its rows as placed() gives them. */
  #tick: { builder: BatchBuilder; placed: Batch } | null = null;

  /** `schemas`: those that the source's records name. */
  constructor(relation: Relation, spec: ConnectorSpec, schemas?: Schemas) {
    this.#relation = relation;
    this.#spec = spec;
    this.#schemas = schemas;
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
    this.#tick = null;
  }

  decoder(): Decoder {
    let decoder = this.#decoder;
    if (decoder === null) {
      this.#list = [...this.needed].sort((a, b) => a - b);
      this.#types = this.#list.map((c) => this.#relation.columns[c].type);
      this.#time = this.#list.indexOf(this.#relation.watermark?.column ?? -1);
      const time = this.#relation.watermark?.column;
      decoder = makeDecoder({ ...this.#spec.decoder, needed: this.#list, time }, this.#spec, this.#schemas);
      this.#decoder = decoder;
    }
    return decoder;
  }

  /** Of the rows that the present decoder has made in this tick. */
  get partials(): PartialRow[] {
    return this.#decoder?.partials ?? NO_PARTIALS;
  }

  /** For rows of the present decoder. */
  builder(arena: Arena, capacity: number): BatchBuilder {
    this.decoder();
    return new BatchBuilder(this.#types, arena, capacity);
  }

  /** builder() for the rows of a tick: the same objects in each, so what was built for the tick before is gone. */
  tickBuilder(arena: Arena, capacity: number): BatchBuilder {
    this.decoder();
    if (this.#tick === null) {
      const builder = new BatchBuilder(this.#types, arena, capacity);
      this.#tick = { builder, placed: { n: 0, columns: this.#places(builder.columns, this.#list), weights: 0 } };
    } else this.#tick.builder.begin(arena, capacity);
    return this.#tick.builder;
  }

  #places(columns: Column[], list: number[]): Column[] {
    const places: Column[] = new Array(this.#relation.columns.length);
    for (let i = 0; i < list.length; i++) places[list[i]] = columns[i];
    return places;
  }

  /**
   * Columns at their places in the relation; those that nobody needs are missing. Those that have no NULL say so from now on, which spares every operator the look.
   * `anyNull`: some may have one.
   */
  placed({ n, columns, weights }: Batch, anyNull: boolean, list = this.#list): Batch {
    for (const column of columns)
      if (!anyNull || (column.valid !== 0 && kernels.allSet(column.valid, n) !== 0)) column.valid = 0;
    if (columns !== this.#tick?.builder.columns) return { n, columns: this.#places(columns, list), weights };
    const { placed } = this.#tick;
    placed.n = n;
    placed.weights = weights;
    return placed;
  }
}
