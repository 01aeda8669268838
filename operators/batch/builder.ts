/**
 * Makes batches in an arena: from datums (tests, INSERT, system relations) and by copying slots of other batches (operators).
 * Columns grow by doubling; the outgrown columns stay in the arena until it is reset.
 */
import type { Datum } from '../datum.ts';
import { kernels } from '../kernels/index.ts';
import { type ColType, physOf, widthOf } from '../types.ts';
import type { Arena } from './arena.ts';
import type { Batch, Column } from './batch.ts';
import { F64, I32, U8 } from './memory.ts';
import { ownPayloads } from './payloads.ts';
import { readSlot, writeSlot } from './slots.ts';
import { fittingWeight } from './weight.ts';

export class BatchBuilder {
  readonly types: ColType[];
  arena: Arena;
  readonly columns: Column[];
  weights = 0;
  n = 0;
  readonly #widths: number[];
  #capacity = 0;

  /** `capacity` rows fit without growing. */
  constructor(types: ColType[], arena: Arena, capacity = 64) {
    this.types = types;
    this.arena = arena;
    const columns = new Array<Column>(types.length);
    for (let i = 0; i < types.length; i++) {
      const type = types[i];
      columns[i] = { type, phys: physOf(type.oid), data: 0, valid: 0 };
    }
    this.columns = columns;
    this.#widths = columns.map(({ phys }) => widthOf(phys));
    this.begin(arena, capacity);
  }

  /** Begins anew, without rows. The columns are the same objects, so what was built before must not be looked at any more: who makes such a batch in every tick saves making them. */
  begin(arena: Arena, capacity: number): void {
    const rows = Math.max(capacity, 1);
    this.arena = arena;
    this.n = 0;
    this.#capacity = rows;
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i];
      column.data = arena.alloc(rows * this.#widths[i]);
      column.valid = arena.alloc(rows);
    }
    this.weights = arena.alloc(rows * 4);
  }

  /** Makes room for `more` further rows; column addresses may change. */
  reserve(more: number): void {
    const wanted = this.n + more;
    if (wanted <= this.#capacity) return;
    let capacity = this.#capacity;
    while (capacity < wanted) capacity *= 2;
    for (const column of this.columns) {
      const width = widthOf(column.phys);
      const data = this.arena.alloc(capacity * width);
      kernels.copyBytes(data, column.data, this.n * width);
      const valid = this.arena.alloc(capacity);
      kernels.copyBytes(valid, column.valid, this.n);
      column.data = data;
      column.valid = valid;
    }
    const weights = this.arena.alloc(capacity * 4);
    kernels.copyBytes(weights, this.weights, this.n * 4);
    this.weights = weights;
    this.#capacity = capacity;
  }

  /** Adds a row with this weight and returns its position; every column must then be set. */
  addRow(weight: number): number {
    if (this.n === this.#capacity) this.reserve(1);
    const row = this.n++;
    I32[(this.weights >>> 2) + row] = fittingWeight(weight);
    return row;
  }

  /** Takes the last row back. */
  dropRow(): void {
    this.n--;
  }

  /** Adds n rows with this weight and returns the position of the first; every column must then be set. */
  addRows(n: number, weight: number): number {
    this.reserve(n);
    const first = this.n;
    this.n += n;
    const weights = this.weights >>> 2;
    for (let row = first; row < this.n; row++) I32[weights + row] = weight;
    return first;
  }

  setDatum(column: number, row: number, value: Datum): void {
    const col = this.columns[column];
    if (value === null) {
      U8[col.valid + row] = 0;
      clearSlot(col, row);
      return;
    }
    U8[col.valid + row] = 1;
    writeSlot(col.phys, col.type.oid, col.data + row * widthOf(col.phys), value, this.arena);
  }

  pushDatums(values: Datum[], weight: number): void {
    const row = this.addRow(weight);
    for (let i = 0; i < values.length; i++) this.setDatum(i, row, values[i]);
  }

  /** Copies a slot of another batch; long bytes are shared, not copied. */
  copySlot(column: number, row: number, from: Column, fromRow: number): void {
    const to = this.columns[column];
    U8[to.valid + row] = from.valid === 0 ? 1 : U8[from.valid + fromRow];
    switch (widthOf(to.phys)) {
      case 1:
        U8[to.data + row] = U8[from.data + fromRow];
        return;
      case 4:
        I32[(to.data >>> 2) + row] = I32[(from.data >>> 2) + fromRow];
        return;
      case 8: {
        const a = (to.data >>> 2) + row * 2;
        const b = (from.data >>> 2) + fromRow * 2;
        I32[a] = I32[b];
        I32[a + 1] = I32[b + 1];
        return;
      }
      default: {
        const a = (to.data >>> 2) + row * 4;
        const b = (from.data >>> 2) + fromRow * 4;
        I32[a] = I32[b];
        I32[a + 1] = I32[b + 1];
        I32[a + 2] = I32[b + 2];
        I32[a + 3] = I32[b + 3];
      }
    }
  }

  /** A row of a batch with the same columns, with this weight; long bytes stay where they are. */
  copyRow(from: Batch, row: number, weight: number): void {
    const to = this.addRow(weight);
    for (let c = 0; c < from.columns.length; c++) this.copySlot(c, to, from.columns[c], row);
  }

  /** As copySlot, but long bytes are copied into this builder's arena. */
  copyDeep(column: number, row: number, from: Column, fromRow: number): void {
    this.copySlot(column, row, from, fromRow);
    const to = this.columns[column];
    if (to.phys !== 'varlen' && to.phys !== 'numeric') return;
    ownPayloads(to.phys, to.data + row * widthOf(to.phys), to.valid + row, 1, this.arena);
  }

  /** Adds all rows of a batch; long bytes are copied into this builder's arena. */
  append(batch: Batch): void {
    const first = this.n;
    this.appendShallow(batch);
    for (const { phys, data, valid } of this.columns)
      ownPayloads(phys, data + first * widthOf(phys), valid + first, batch.n, this.arena);
  }

  /** Adds all rows of a batch; long bytes stay where they are. */
  appendShallow(batch: Batch): void {
    const { n } = batch;
    const first = this.n;
    this.reserve(n);
    this.n += n;
    kernels.copyBytes(this.weights + first * 4, batch.weights, n * 4);
    for (let i = 0; i < this.columns.length; i++) {
      const to = this.columns[i];
      const from = batch.columns[i];
      const width = widthOf(to.phys);
      kernels.copyBytes(to.data + first * width, from.data, n * width);
      if (from.valid === 0) kernels.fillBytes(to.valid + first, 1, n);
      else kernels.copyBytes(to.valid + first, from.valid, n);
    }
  }

  setNull(column: number, row: number): void {
    const col = this.columns[column];
    U8[col.valid + row] = 0;
    clearSlot(col, row);
  }

  /** The rows so far, as a batch that shares the builder's columns: add no more rows afterwards. */
  build(): Batch {
    return { n: this.n, columns: this.columns, weights: this.weights };
  }

  /** build() of rows of which no two are equal. */
  buildNet(): Batch {
    return { n: this.n, columns: this.columns, weights: this.weights, net: true };
  }
}

/** NULL slots hold zeros, so that whole slots can be hashed and compared without looking at validity first. */
function clearSlot(column: Column, row: number): void {
  switch (widthOf(column.phys)) {
    case 1:
      U8[column.data + row] = 0;
      return;
    case 4:
      I32[(column.data >>> 2) + row] = 0;
      return;
    case 8:
      F64[column.data / 8 + row] = 0;
      return;
    default:
      F64[column.data / 8 + row * 2] = 0;
      F64[column.data / 8 + row * 2 + 1] = 0;
  }
}

export function isValid(column: Column, row: number): boolean {
  return column.valid === 0 || U8[column.valid + row] !== 0;
}

export function readDatum(column: Column, row: number): Datum {
  if (column.valid !== 0 && U8[column.valid + row] === 0) return null;
  return readSlot(column.phys, column.type.oid, column.data + row * widthOf(column.phys));
}

export function readRow(batch: Batch, row: number): Datum[] {
  return batch.columns.map((column) => readDatum(column, row));
}

export function weightOf(batch: Batch, row: number): number {
  return I32[(batch.weights >>> 2) + row];
}

/** Rows, each as many times as its weight says. */
export function totalWeight(batch: Batch): number {
  let sum = 0;
  for (let row = 0; row < batch.n; row++) sum += weightOf(batch, row);
  return sum;
}

/** A batch of rows of datums, each with weight 1 or the weight given. */
export function batchFromRows(types: ColType[], rows: Datum[][], arena: Arena, weights?: number[]): Batch {
  const builder = new BatchBuilder(types, arena, rows.length);
  for (let i = 0; i < rows.length; i++) builder.pushDatums(rows[i], weights === undefined ? 1 : weights[i]);
  return builder.build();
}

export function emptyBatch(types: ColType[]): Batch {
  return { n: 0, columns: types.map((type) => ({ type, phys: physOf(type.oid), data: 0, valid: 0 })), weights: 0 };
}
