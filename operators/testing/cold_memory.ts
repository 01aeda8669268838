/** A cold store in memory, for tests. Every read is checked against what was written, and freed places hold nothing. */
import { U8 } from '../batch/memory.ts';
import { type ColdStore, PLACE_BYTES } from '../state/cold_store.ts';

type Kept = Map<number, Uint8Array>;

export class MemoryColdStore implements ColdStore {
  #kept: Kept = new Map();
  #next = 1;
  writes = 0;
  bytesWritten = 0;
  reads = 0;
  /** So many more pieces have room. */
  room = Number.POSITIVE_INFINITY;

  /** Number of places that are in use. */
  get places(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    let sum = 0;
    for (const bytes of this.#kept.values()) sum += bytes.length;
    return sum;
  }

  write(address: number, pieces: number[]): number {
    if (this.room < pieces.length) throw new Error('there is no room');
    this.room -= pieces.length;
    const place = this.#next;
    for (const bytes of pieces) {
      const at = address + (this.#next - place) * PLACE_BYTES;
      this.#kept.set(this.#next, U8.slice(at, at + bytes));
      this.#next += Math.ceil(bytes / PLACE_BYTES);
      this.writes++;
      this.bytesWritten += bytes;
    }
    return place;
  }

  read(place: number, bytes: number, to: number): void {
    U8.set(this.#at(place, bytes), to);
    this.reads++;
  }

  free(place: number, bytes: number): void {
    this.#at(place, bytes);
    this.#kept.delete(place);
  }

  #at(place: number, bytes: number): Uint8Array {
    const kept = this.#kept.get(place);
    if (kept === undefined) throw new Error(`nothing is kept at place ${place}`);
    if (kept.length !== bytes) throw new Error(`${kept.length} bytes are kept at place ${place}, not ${bytes}`);
    return kept;
  }

  save(): Kept {
    return new Map(this.#kept);
  }

  load(saved: Kept): void {
    this.#kept = new Map(saved);
  }
}
