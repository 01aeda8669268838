/** Checkpoints of a data directory as a program of another layout would find them. */
import { crc32 } from 'node:zlib';
import type { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';

/** Manifests with one thing changed, and their checksums. */
export function patched(disk: MemoryDisk, change: (bytes: Buffer) => Buffer): void {
  for (const [name, file] of disk.files) {
    if (!name.includes('manifest-')) continue;
    const bytes = change(Buffer.from(file.bytes));
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    disk.files.set(name, { bytes, synced: bytes });
  }
}

/** The checkpoints are of another version now. */
export function otherLayout(disk: MemoryDisk): void {
  patched(disk, (bytes) => {
    bytes.writeUInt32LE(99, 8);
    return bytes;
  });
}
