/** Checkpoints of a data directory as a program of another layout would find them. */
import { deserialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { nameFrame, RECORD, readFrame, sealFrame } from '../../src/durable/frame.ts';
import { type DefinitionRecord, readJson } from '../../src/durable/records.ts';
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

/** The portable copies as programs of layout 14 wrote them: what there is of an object again after each statement that has its OID, an ALTER too. */
export function asOfLayout14(disk: MemoryDisk): void {
  for (const [name, { bytes }] of disk.files) {
    if (!name.includes('portable-')) continue;
    const frames: { kind: number; payload: Buffer; bytes: Buffer }[] = [];
    for (let at = 0; at < bytes.length; ) {
      const read = readFrame(bytes, at);
      if (read === null) throw new Error(`${name} is damaged at byte ${at}`);
      const { kind, payload } = read.frame;
      frames.push({ kind, payload, bytes: Buffer.from(bytes.subarray(at, read.end)) });
      at = read.end;
    }
    const written: Buffer[] = [];
    const write = (frame: { kind: number; bytes: Buffer }) => {
      const again = Buffer.from(frame.bytes);
      nameFrame(again, frame.kind, BigInt(written.length + 1), 0n);
      sealFrame(again, true);
      written.push(again);
    };
    for (const frame of frames) {
      if (ofObject(frame) !== null) continue;
      write(frame);
      if (frame.kind !== RECORD.definition) continue;
      const { made } = readJson<DefinitionRecord>(frame.payload);
      for (const other of frames) if (ofObject(other) === made) write(other);
    }
    const all = Buffer.concat(written);
    disk.files.set(name, { bytes: all, synced: all });
  }
}

/** The OID of what a frame has rows or facts of. */
function ofObject({ kind, payload }: { kind: number; payload: Buffer }): number | null {
  if (kind === RECORD.rows) return payload.readUInt32LE(0);
  return kind === RECORD.facts ? (deserialize(payload) as { oid: number }).oid : null;
}
