/**
 * Reading the log's segment files: every record in order, verified.
 *
 *   log/00000000000000000001.log    records 1, 2, ...          the name is the sequence number of the first record
 *   log/00000000000000004711.log    records 4711, ...          the newest: only here a torn end is a crash's work
 *
 * A segment may end in zeros, which were written ahead of records that never came.
 *
 * What is damaged anywhere else, or missing in between, is an error that names file, offset and tick.
 */
import { join } from 'node:path';
import { SqlError } from '../../operators/errors.ts';
import type { Disk } from './disk.ts';
import { FRAME_HEADER, type Frame, frameSize, makeFrame, nameFrame, RECORD, readFrame, sealFrame } from './frame.ts';

export const SEGMENT_HEADER = frameSize(16);
const FORMAT = 1n;

export interface Segment {
  path: string;
  first: bigint;
}

export interface PlacedFrame extends Frame {
  file: string;
  offset: number;
}

export interface LogEnd {
  /** Segments in order; empty for a new log. */
  segments: Segment[];
  /** Length of the newest segment up to the last record that is whole, with its run; null when there is no segment. */
  length: number | null;
  /** Bytes after it that a crash left. */
  torn: number;
  /** Of the last record; the sequence before the first when there is none. */
  sequence: bigint;
  tick: bigint;
}

export function segmentName(first: bigint): string {
  return `${String(first).padStart(20, '0')}.log`;
}

export function segmentHeader(first: bigint, tick: bigint, identity: bigint): Buffer {
  const bytes = makeFrame(16);
  bytes.writeBigUInt64LE(FORMAT, FRAME_HEADER);
  bytes.writeBigUInt64LE(identity, FRAME_HEADER + 8);
  nameFrame(bytes, RECORD.segment, first, tick);
  sealFrame(bytes, true);
  return bytes;
}

export async function listSegments(folder: string, disk: Disk): Promise<Segment[]> {
  const names = (await disk.list(folder)).filter((name) => /^\d{20}\.log$/.test(name)).sort();
  return names.map((name) => ({ path: join(folder, name), first: BigInt(name.slice(0, 20)) }));
}

/** Calls `visit` for every record with a sequence above `after`, and tells where the log ends. Nothing is changed on the disk. */
export async function readLog(
  folder: string,
  identity: bigint,
  disk: Disk,
  after: bigint,
  visit: (frame: PlacedFrame) => void | Promise<void>,
): Promise<LogEnd> {
  const segments = await listSegments(folder, disk);
  // Segments that a checkpoint covers need not be read.
  while (segments.length > 1 && segments[1].first <= after + 1n) segments.shift();
  const end: LogEnd = { segments, length: null, torn: 0, sequence: after, tick: 0n };
  if (segments.length > 0 && segments[0].first > after + 1n) {
    throw damaged(`the log begins with record ${segments[0].first}; records from ${after + 1n} on are missing`);
  }
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    const newest = i === segments.length - 1;
    const bytes = await disk.read(segment.path);
    const header = readFrame(bytes, 0);
    if (header === null) {
      // The crash came while the segment was begun: nothing was ever in it, and no checkpoint has records of it.
      if (newest && segment.first > after && findGroup(bytes, 0, 0n) === null) {
        end.torn += bytes.length;
        end.segments.pop();
        end.length = i === 0 ? null : end.length;
        return end;
      }
      throw damaged(`the header of ${segment.path} is damaged`);
    }
    checkHeader(header.frame, segment, identity);
    if (i === 0) end.sequence = segment.first - 1n;
    else if (segment.first !== end.sequence + 1n) {
      throw damaged(`records ${end.sequence + 1n} to ${segment.first - 1n} are missing before ${segment.path}`);
    }
    if (end.tick === 0n) end.tick = header.frame.tick;
    const { stop, torn } = await readSegment(bytes, header.end, segment, end, after, visit);
    const written = endOfWritten(bytes);
    if (stop < written && (!newest || findGroup(bytes, torn, end.sequence) !== null)) {
      throw damaged(
        `record ${end.sequence + 1n} is damaged: ${segment.path}, byte ${stop}, after tick ${end.tick}`,
        newest ? 'Records after it are whole, so this is not the end that a crash leaves.' : undefined,
      );
    }
    end.length = stop;
    end.torn += Math.max(0, written - stop);
  }
  return end;
}

/** Visits records up to the first that is not whole, or that begins a run which is not; gives its position, and that of the one that is not whole. */
async function readSegment(
  bytes: Buffer,
  start: number,
  segment: Segment,
  end: LogEnd,
  after: bigint,
  visit: (frame: PlacedFrame) => void | Promise<void>,
): Promise<{ stop: number; torn: number }> {
  let at = start;
  let stop = start;
  let last: Pick<Frame, 'sequence' | 'tick'> = end;
  let run: PlacedFrame[] = [];
  for (;;) {
    const read = readFrame(bytes, at);
    if (read === null) return { stop, torn: at };
    const { frame } = read;
    if (frame.sequence !== last.sequence + 1n || frame.tick < last.tick) {
      throw damaged(
        `${segment.path}, byte ${at}: record ${frame.sequence} of tick ${frame.tick} follows record ${last.sequence} of tick ${last.tick}`,
      );
    }
    last = { sequence: frame.sequence, tick: frame.tick };
    if (frame.sequence > after) run.push({ ...frame, file: segment.path, offset: at });
    at = read.end;
    if (frame.goesOn) continue;
    Object.assign(end, last);
    stop = at;
    for (const placed of run) {
      const done = visit(placed);
      if (done !== undefined) await done;
    }
    run = [];
  }
}

/** Where the zeros at the end of a file begin. */
function endOfWritten(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

/** Position of the first whole record from `at` on that begins a group later than `sequence`. */
function findGroup(bytes: Buffer, at: number, sequence: bigint): number | null {
  for (let p = (at + 7) & ~7; p + FRAME_HEADER <= bytes.length; p += 8) {
    const read = readFrame(bytes, p);
    if (read !== null && read.frame.kind !== RECORD.segment && read.frame.beginsGroup && read.frame.sequence > sequence)
      return p;
  }
  return null;
}

function checkHeader(frame: Frame, segment: Segment, identity: bigint): void {
  const format = frame.payload.readBigUInt64LE(0);
  if (frame.kind !== RECORD.segment || frame.sequence !== segment.first) {
    throw damaged(`${segment.path} does not begin with record ${segment.first}`);
  }
  if (format !== FORMAT) {
    throw new SqlError('55000', `${segment.path} has log format ${format}; this program reads format ${FORMAT}`);
  }
  if (frame.payload.readBigUInt64LE(8) !== identity) throw damaged(`${segment.path} belongs to another data directory`);
}

export function damaged(message: string, detail?: string): SqlError {
  return new SqlError('XX001', message, {
    detail,
    hint: "'tidemark doctor DIR' checks the whole directory. Restore it from a backup, or take the damaged file away knowing what is lost.",
  });
}
