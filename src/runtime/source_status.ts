/**
 * How reading a source goes, as its events tell: trouble with the cluster, the schema registry, files or a database is every partition's, and one that stands still does so until the stream is read anew, whatever becomes of
 * the others.
 */
import type { SourceEvent } from '../sources/source.ts';

export class SourceStatus {
  #cluster: string | null = null;
  #registry: string | null = null;
  #files: string | null = null;
  #database: string | null = null;
  #copying: string | null = null;
  readonly #standing = new Map<number, string>();

  take(event: SourceEvent): void {
    switch (event.kind) {
      case 'recovered':
        this.#cluster = null;
        return;
      case 'registry':
        this.#registry = event.message === null ? null : `registry: ${event.message}`;
        return;
      case 'files':
        this.#files = event.message === null ? null : `files: ${event.message}`;
        return;
      case 'database':
        this.#database = event.message === null ? null : `database: ${event.message}`;
        return;
      case 'copying':
        this.#copying = event.on ? 'copying: the rows that are there come first' : null;
        return;
      case 'partition_added':
      case 'schema':
      case 'file':
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
    const own = partition === null ? undefined : this.#standing.get(partition);
    return this.#cluster ?? own ?? this.#registry ?? this.#files ?? this.#database ?? this.#copying;
  }
}
