/**
 * The files that a stream reads, in the order in which they are read: what is found gets a number and keeps it.
 *
 *   found    a name                                        base -1
 *   begun    as it was then: its size and time of change   base: how many records there are in the files before it
 *   ended    how many records it has                       rows, until then -1
 *
 * So an offset of the stream, which counts the records of all files, is a record of one file, whatever comes into the folder or goes from it. The tick log and
 * checkpoints keep the list (docs/decisions/0573).
 */
export interface ListedFile {
  path: string;
  size: number;
  /** When it was changed last, in milliseconds since 1970. */
  mtime: number;
  base: number;
  rows: number;
}

export type SavedFiles = [path: string, size: number, mtime: number, base: number, rows: number][];

export class FileList {
  #files: ListedFile[] = [];
  /** How many of them are begun: the first ones. */
  #begun = 0;

  get length(): number {
    return this.#files.length;
  }

  get(number: number): ListedFile {
    return this.#files[number];
  }

  put(number: number, file: ListedFile): void {
    this.#files[number] = file;
    if (file.base >= 0 && number >= this.#begun) this.#begun = number + 1;
  }

  /** Number of the file that has the record at an offset, as far as is known; null: it is behind those that are. */
  holding(offset: number): number | null {
    const number = this.#lastFrom(offset);
    if (number < 0) return null;
    const { base, rows } = this.#files[number];
    return rows < 0 || offset < base + rows ? number : null;
  }

  /** Number of the file to go on with, where all before `offset` is read: that of holding(), or the next one, which may not be there yet. */
  next(offset: number): number {
    return this.holding(offset) ?? this.#lastFrom(offset) + 1;
  }

  /** Of those that are begun, the last one that has its first record at `offset` or before; -1: none. */
  #lastFrom(offset: number): number {
    let low = 0;
    for (let high = this.#begun; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#files[middle].base > offset) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  /** Where a record is: its row in the file, from 1 on. */
  placeOf(offset: number): { path: string; row: number } | null {
    const number = this.holding(offset);
    if (number === null) return null;
    const { path, base } = this.#files[number];
    return { path, row: offset - base + 1 };
  }

  save(): SavedFiles {
    return this.#files.map(({ path, size, mtime, base, rows }) => [path, size, mtime, base, rows]);
  }

  load(saved: SavedFiles): void {
    this.#files = [];
    this.#begun = 0;
    saved.forEach(([path, size, mtime, base, rows], number) => {
      this.put(number, { path, size, mtime, base, rows });
    });
  }
}
