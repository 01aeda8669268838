/**
 * The file of one segment of a change log: its name, and entries read back with every checksum verified.
 *
 *   header | entry | entry | ...          a read takes about READ_BYTES and gives the whole entries in them
 */
import { type Disk, type DiskFile, readAll } from '../durable/disk.ts';
import { type Entry, entryLength, readEntry, readSegmentHeader, SEGMENT_HEADER } from './entry.ts';

const READ_BYTES = 1 << 20;

/** What the file must be. */
export interface SegmentFile {
  oid: number;
  /** Of the data directory. */
  identity: bigint;
  /** Of the last entry before it. */
  sequence: bigint;
  /** Its bytes. */
  written: number;
}

export function segmentFile(oid: number, number: number): string {
  return `${String(oid).padStart(10, '0')}-${String(number).padStart(8, '0')}.changes`;
}

/** Null when the name is none of a segment. */
export function readSegmentFile(name: string): { oid: number; number: number } | null {
  const match = /^(\d{10})-(\d{8})\.changes$/.exec(name);
  return match && { oid: Number(match[1]), number: Number(match[2]) };
}

/** Whole entries from `at` on; null when what is there is not right. */
export async function readEntries(disk: Disk, path: string, segment: SegmentFile, at: number): Promise<Entry[] | null> {
  let file: DiskFile;
  try {
    file = await disk.open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    if (at === SEGMENT_HEADER && !(await headerIsRight(file, segment))) return null;
    let length = Math.min(READ_BYTES, segment.written - at);
    for (;;) {
      const bytes = Buffer.allocUnsafe(length);
      if (!(await readAll(file, bytes, at))) return null;
      const first = entryLength(bytes, 0);
      if (first === null || at + first > segment.written) return null;
      if (first > length) {
        length = first;
        continue;
      }
      return entriesOf(bytes, segment.oid, at + length === segment.written);
    }
  } finally {
    await file.close();
  }
}

async function headerIsRight(file: DiskFile, { oid, identity, sequence }: SegmentFile): Promise<boolean> {
  const bytes = Buffer.alloc(SEGMENT_HEADER);
  if (!(await readAll(file, bytes, 0))) return false;
  return readSegmentHeader(bytes, oid, identity)?.sequence === sequence;
}

/** `toTheEnd`: the last entry must be whole. */
function entriesOf(bytes: Buffer, oid: number, toTheEnd: boolean): Entry[] | null {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const entry = readEntry(bytes, at, oid);
    if (entry === null) {
      const length = entryLength(bytes, at);
      const cut = length === null || at + length > bytes.length;
      return cut && !toTheEnd ? entries : null;
    }
    entries.push(entry);
    at += entry.bytes.length;
  }
  return entries;
}
