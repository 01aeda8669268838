/**
 * What has been read of a database and no tick has taken yet, in order: whole transactions, and pieces of the rows that were there before.
 *
 *   push(unit) -> queue -> admit(rows): the first units count from now on -> poll() of each table gives its batches of them -> settle(): taken for good
 *                                                                                                                         \-> giveBack(): as before admit()
 */
import type { Moments, RawBatch } from '../source.ts';
import type { PostgresSource } from './source.ts';

/** Where it lies, and when and where it was. */
const RECORD_BYTES = 40;

export function bytesOf({ bytes, n }: RawBatch): number {
  return bytes.length + n * RECORD_BYTES;
}

interface Part {
  batch: RawBatch;
  polled: boolean;
}

export class Units implements Moments {
  held = false;
  /** Units are numbered as they come. Those before `#first` are gone, and so are their places here, now and then. */
  #queue: Map<PostgresSource, Part>[] = [];
  #base = 0;
  #first = 0;
  /** Those before are admitted. */
  #admitted = 0;
  /** By table, the unit where to look for its next batch, to poll and to settle. */
  #polled = new Map<PostgresSource, number>();
  #settled = new Map<PostgresSource, number>();
  #bytes = 0;
  #wake: (() => void) | null = null;

  get #end(): number {
    return this.#base + this.#queue.length;
  }

  #unit(number: number): Map<PostgresSource, Part> {
    return this.#queue[number - this.#base];
  }

  push(unit: Map<PostgresSource, RawBatch>): void {
    if (unit.size === 0) return;
    this.#queue.push(new Map([...unit].map(([table, batch]) => [table, { batch, polled: false }])));
    for (const [table, batch] of unit) {
      const bytes = bytesOf(batch);
      this.#bytes += bytes;
      table.queuedBytes += bytes;
    }
    for (const table of unit.keys()) table.arrivals.ready();
  }

  admit(rows: number): void {
    let left = rows;
    for (let i = this.#first; i < this.#admitted; i++) left -= rowsOf(this.#unit(i));
    while (this.#admitted < this.#end && (left > 0 || this.#admitted === this.#first)) {
      const next = rowsOf(this.#unit(this.#admitted));
      if (next > left && this.#admitted > this.#first) break;
      left -= next;
      this.#admitted++;
    }
  }

  /** O(1) a unit, over all calls. */
  poll(table: PostgresSource): RawBatch | null {
    let i = Math.max(this.#polled.get(table) ?? 0, this.#first);
    let found: Part | undefined;
    for (; i < this.#admitted && found === undefined; i++) {
      const part = this.#unit(i).get(table);
      if (part?.polled === false) found = part;
    }
    this.#polled.set(table, i);
    if (found === undefined) return null;
    found.polled = true;
    return found.batch;
  }

  /** Whether the table has a batch that was not polled. */
  has(table: PostgresSource): boolean {
    for (let i = this.#first; i < this.#end; i++) if (this.#unit(i).get(table)?.polled === false) return true;
    return false;
  }

  giveBack(): void {
    for (let i = this.#first; i < this.#admitted; i++) for (const part of this.#unit(i).values()) part.polled = false;
    this.#admitted = this.#first;
    this.#polled.clear();
  }

  /** Its batches that were polled, up to this one, are taken for good. O(1) a unit, over all calls. */
  settle(table: PostgresSource, place: string): void {
    let i = Math.max(this.#settled.get(table) ?? 0, this.#first);
    for (let found = false; i < this.#admitted && !found; i++) {
      const part = this.#unit(i).get(table);
      if (part === undefined) continue;
      if (!part.polled) break;
      this.#take(table, i);
      found = part.batch.place === place;
    }
    this.#settled.set(table, i);
    this.#shift();
  }

  /** The table is read no more. */
  remove(table: PostgresSource): void {
    for (let i = this.#first; i < this.#end; i++) this.#take(table, i);
    this.#polled.delete(table);
    this.#settled.delete(table);
    this.#shift();
  }

  #take(table: PostgresSource, number: number): void {
    const unit = this.#unit(number);
    const part = unit.get(table);
    if (part === undefined) return;
    unit.delete(table);
    const bytes = bytesOf(part.batch);
    this.#bytes -= bytes;
    table.queuedBytes -= bytes;
  }

  #shift(): void {
    while (this.#first < this.#end && this.#unit(this.#first).size === 0) this.#first++;
    this.#admitted = Math.max(this.#admitted, this.#first);
    const gone = this.#first - this.#base;
    // So rarely that moving the rest costs O(1) a unit.
    if (gone * 2 > this.#queue.length) {
      this.#queue.splice(0, gone);
      this.#base += gone;
    }
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
