/** `tidemark doctor`: every segment of the change logs, checked without changing anything. */
import type { Disk } from '../durable/disk.ts';
import { readEntry, readSegmentHeader, SEGMENT_HEADER } from './entry.ts';
import { readSegmentFile } from './segment_file.ts';

export interface ChangeFindings {
  segments: number;
  entries: number;
  bytes: number;
  problems: string[];
  /** Ends that a crash may have left; the next start cuts them off. */
  torn: string[];
}

export async function examineChanges(disk: Disk, folder: string, identity: bigint): Promise<ChangeFindings> {
  const found: ChangeFindings = { segments: 0, entries: 0, bytes: 0, problems: [], torn: [] };
  const names = await disk.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const segments = names.sort().flatMap((name) => {
    const segment = readSegmentFile(name);
    return segment === null ? [] : [{ name, ...segment }];
  });
  for (const [i, { name, oid }] of segments.entries()) {
    const bytes = await disk.read(`${folder}/${name}`);
    const newest = segments[i + 1]?.oid !== oid;
    found.segments++;
    found.bytes += bytes.length;
    const header =
      bytes.length < SEGMENT_HEADER ? null : readSegmentHeader(bytes.subarray(0, SEGMENT_HEADER), oid, identity);
    let at = header?.bytes.length ?? 0;
    let last = header;
    while (last !== null && at < bytes.length) {
      const entry = readEntry(bytes, at, oid);
      if (entry === null || entry.sequence !== last.sequence + 1n || entry.tick < last.tick || entry.clock < last.clock)
        break;
      found.entries++;
      at += entry.bytes.length;
      last = entry;
    }
    if (header !== null && at === bytes.length) continue;
    if (newest) found.torn.push(`${name}: ${bytes.length - at} bytes at the end are not whole`);
    else
      found.problems.push(
        `${name}, byte ${at}, after tick ${last?.tick ?? '?'}: damaged; nothing up to its end can be read AS OF`,
      );
  }
  return found;
}
