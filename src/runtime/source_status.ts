/**
 * How reading a source goes, as its events tell: trouble with the cluster is every partition's, and one that stands still does so until the stream is read anew, whatever becomes of
 * the others.
 */
import type { SourceEvent } from '../sources/source.ts';

export class SourceStatus {
  #cluster: string | null = null;
  readonly #standing = new Map<number, string>();

  take(event: SourceEvent): void {
    switch (event.kind) {
      case 'recovered':
        this.#cluster = null;
        return;
      case 'partition_added':
        return;
      case 'offset_out_of_range':
      case 'corrupt':
        this.#standing.set(event.partition, `${event.kind}: ${event.message}`);
        return;
      default:
        this.#cluster = `${event.kind}: ${event.message}`;
    }
  }

  /** What is wrong with a partition; null: nothing. */
  of(partition: number | null): string | null {
    return this.#cluster ?? (partition === null ? null : (this.#standing.get(partition) ?? null));
  }
}
