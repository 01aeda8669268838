/**
 * What a stream could not read, as a relation: the newest of these records (recent_rows.ts) with place, reason and bytes. `tidemark.errors('stream')` reads it.
 * They are counted for ever, and the topic has them at their offsets.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import type { Undo } from '../../operators/state/undo.ts';
import type { BadRow } from '../formats/format.ts';
import type { KnownFiles } from '../sources/files/known_files.ts';
import type { RawBatch } from '../sources/source.ts';
import { ERROR_COLUMNS } from './ledger.ts';
import { RecentRows, type SavedRecentRows } from './recent_rows.ts';

/** Characters of the reason: it may quote a value of many megabytes, which `message` has already. */
const REASON_CHARACTERS = 1000;

export class BadRecords {
  readonly relation = new RecentRows(ERROR_COLUMNS.map((c) => c.type));
  /** Ever reported. */
  count = 0n;
  #pending: Datum[][] = [];

  /** Of a source that reads `files`, they are shown by their places in these. */
  report(topic: string, raw: RawBatch, bad: BadRow[], files: KnownFiles | undefined): void {
    for (const { index, sqlstate, reason, column } of bad) {
      const start = raw.valueStart[index];
      const message = start < 0 ? null : new Uint8Array(raw.bytes.subarray(start, raw.valueEnd[index]));
      const place = files?.placeOf(raw.offset[index]);
      const offset = BigInt(place?.row ?? raw.offset[index]);
      this.#pending.push([
        place?.path ?? topic,
        raw.partition,
        offset,
        sqlstate,
        shortened(reason),
        column,
        message,
        null,
      ]);
      this.count++;
    }
  }

  /** For a tick that may be taken back, with what it has reported so far. */
  keepIn(undo: Undo): void {
    const before = this.count - BigInt(this.#pending.length);
    this.relation.keepIn(undo);
    undo.restore(() => {
      this.count = before;
      this.#pending = [];
    });
  }

  /** What was reported and is not part of the relation yet has not happened. */
  forget(): void {
    this.count -= BigInt(this.#pending.length);
    this.#pending = [];
  }

  /** Makes what was reported in this tick part of the relation. */
  apply(arena: Arena): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    this.relation.apply(batchFromRows(this.relation.types, pending, arena));
  }

  /** The tick has passed. */
  endTick(): void {
    this.relation.endTick();
  }

  /** Between ticks. */
  save(): SavedRecentRows {
    if (this.#pending.length > 0) throw new Error('records of a tick are not applied yet');
    return this.relation.save();
  }

  load(saved: SavedRecentRows): void {
    this.relation.load(saved);
  }

  release(): void {
    this.relation.release();
  }
}

function shortened(reason: string): string {
  if (reason.length <= REASON_CHARACTERS) return reason;
  // Half a character is none.
  return `${reason.slice(0, REASON_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}...`;
}
