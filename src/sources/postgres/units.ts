/**
 * What has been read of a database and no tick has taken yet, in order: whole transactions, and pieces of the rows that were there before.
 *
 *   push(unit) -> queue -> admit(rows): the first units count from now on -> poll() of each table gives its batches of them -> settle(): taken for good
 *                                                                                                                         \-> giveBack(): as before admit()
 */
import type { Moments, RawBatch } from '../source.ts';
import type { PostgresSource } from './source.ts';

interface Part {
  batch: RawBatch;
  polled: boolean;
}

export class Units implements Moments {
  held = false;
  #queue: Map<PostgresSource, Part>[] = [];
  /** So many of the first are admitted. */
  #admitted = 0;
  /** By table: so many of the first have no batch of it that was not polled. Missing: 0. */
  readonly #polled = new Map<PostgresSource, number>();
  #bytes = 0;
  #wake: (() => void) | null = null;

  push(unit: Map<PostgresSource, RawBatch>): void {
    if (unit.size === 0) return;
    this.#queue.push(new Map([...unit].map(([table, batch]) => [table, { batch, polled: false }])));
    for (const [table, { bytes }] of unit) {
      this.#bytes += bytes.length;
      table.queuedBytes += bytes.length;
    }
    for (const table of unit.keys()) table.arrivals.ready();
  }

  admit(rows: number): void {
    let left = rows;
    for (const unit of this.#queue.slice(0, this.#admitted)) left -= rowsOf(unit);
    while (this.#admitted < this.#queue.length && (left > 0 || this.#admitted === 0)) {
      const next = rowsOf(this.#queue[this.#admitted]);
      if (next > left && this.#admitted > 0) break;
      left -= next;
      this.#admitted++;
    }
  }

  poll(table: PostgresSource): RawBatch | null {
    let batch: RawBatch | null = null;
    let i = this.#polled.get(table) ?? 0;
    for (; i < this.#admitted && batch === null; i++) {
      const part = this.#queue[i].get(table);
      if (part === undefined || part.polled) continue;
      part.polled = true;
      batch = part.batch;
    }
    this.#polled.set(table, i);
    return batch;
  }

  /** Whether the table has a batch that was not polled. */
  has(table: PostgresSource): boolean {
    return this.#queue.some((unit) => unit.get(table)?.polled === false);
  }

  giveBack(): void {
    for (const unit of this.#queue.slice(0, this.#admitted)) for (const part of unit.values()) part.polled = false;
    this.#admitted = 0;
    this.#polled.clear();
  }

  /** Its batches that were polled are taken for good. */
  settle(table: PostgresSource): void {
    for (let i = 0; i < this.#admitted; i++) if (this.#queue[i].get(table)?.polled) this.#take(table, i);
    this.#shift();
  }

  /** The table is read no more. */
  remove(table: PostgresSource): void {
    for (let i = 0; i < this.#queue.length; i++) this.#take(table, i);
    this.#polled.delete(table);
    this.#shift();
  }

  #take(table: PostgresSource, unit: number): void {
    const part = this.#queue[unit].get(table);
    if (part === undefined) return;
    this.#queue[unit].delete(table);
    this.#bytes -= part.batch.bytes.length;
    table.queuedBytes -= part.batch.bytes.length;
  }

  #shift(): void {
    const rest = this.#queue.findIndex((unit) => unit.size > 0);
    const gone = rest < 0 ? this.#queue.length : rest;
    this.#queue.splice(0, gone);
    this.#admitted = Math.max(0, this.#admitted - gone);
    for (const [table, polled] of this.#polled) this.#polled.set(table, Math.max(0, polled - gone));
    this.#wake?.();
  }

  /** Resolves when fewer bytes wait than so many, or `signal` says that it does not matter. */
  async room(bytes: number, signal: AbortSignal): Promise<void> {
    const wake = () => this.#wake?.();
    signal.addEventListener('abort', wake);
    while (this.#bytes >= bytes && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = null;
    signal.removeEventListener('abort', wake);
  }
}

function rowsOf(unit: Map<PostgresSource, Part>): number {
  let rows = 0;
  for (const { batch } of unit.values()) rows += batch.n;
  return rows;
}
