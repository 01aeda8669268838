/**
 * Batches as bytes and back: for the tick log, checkpoints and change logs.
 *
 *   varint n   varint columns   u8 weights (0: all are 1, 1: n x i32 follow)
 *   per column: u8 form (0: the batch has a hole here, 1: no NULLs, 2: a bitmap of ceil(n/8) bytes follows the type)
 *               varint oid   zigzag varint typmod   [bitmap]
 *     fixed width   n slots
 *     varlen        n x u32 length, then the bytes
 *     numeric       n slots (addresses zeroed), then the magnitudes of the wide ones in row order
 *
 * Little endian, nothing aligned. The bytes of a batch depend on its values alone, never on addresses. Cost: a memory copy a column, plus a loop for
 * varlen and numeric. The reader trusts the bytes as far as lengths go (checksums are the caller's) but never reads past their end.
 */

import { kernels } from '../kernels/index.ts';
import { PHYS_WIDTH, physOf } from '../types.ts';
import { type Arena, withScratch } from './arena.ts';
import type { Batch, Column } from './batch.ts';
import { BYTES, I32, U8, U32 } from './memory.ts';
import { NUMERIC_WIDE } from './slots.ts';
import { readVarint, varintSize, writeVarint } from './varint.ts';

const HOLE = 0;
const PRESENT = 1;
const WITH_NULLS = 2;
/** Bytes that are worth a call of Node, whose fill() is a memcpy: out of shared memory set() goes word by word. */
const MANY = 4096;
/** What packVarlen may write past the end. */
const PACK_SPARE = 16;

/** Exactly the bytes that writeBatch will write. */
export function encodedSize(batch: Batch): number {
  const { n, columns } = batch;
  let bytes = varintSize(n) + varintSize(columns.length) + 1 + (plainWeights(batch) ? 0 : n * 4);
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column | undefined;
    bytes += 1;
    if (column === undefined) continue;
    bytes += varintSize(column.type.oid) + varintSize(zigzag(column.type.typmod));
    if (hasNulls(column, n)) bytes += (n + 7) >>> 3;
    bytes += dataSize(column, n);
  }
  return bytes;
}

/** Writes the batch at `at` and returns the end. */
export function writeBatch(batch: Batch, to: Buffer, at: number): number {
  const { n, columns } = batch;
  let p = writeVarint(to, at, n);
  p = writeVarint(to, p, columns.length);
  const plain = plainWeights(batch);
  to[p++] = plain ? 0 : 1;
  if (!plain) p = copyOut(to, p, batch.weights, n * 4);
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column | undefined;
    if (column === undefined) {
      to[p++] = HOLE;
      continue;
    }
    const nulls = hasNulls(column, n);
    to[p++] = nulls ? WITH_NULLS : PRESENT;
    p = writeVarint(to, p, column.type.oid);
    p = writeVarint(to, p, zigzag(column.type.typmod));
    if (nulls) p = writeBitmap(to, p, column.valid, n);
    p = writeData(column, n, to, p);
  }
  return p;
}

export function encodeBatch(batch: Batch): Buffer {
  const to = Buffer.allocUnsafe(encodedSize(batch));
  writeBatch(batch, to, 0);
  return to;
}

/** The batch that lies at `at`, in the arena. */
export function readBatch(from: Buffer, at: number, arena: Arena): { batch: Batch; end: number } {
  const reader = new Reader(from, at);
  const n = reader.varint();
  const width = reader.varint();
  const weights = arena.alloc(n * 4);
  if (reader.byte() === 0) I32.fill(1, weights >>> 2, (weights >>> 2) + n);
  else reader.copyTo(weights, n * 4);
  const columns: Column[] = [];
  for (let i = 0; i < width; i++) {
    const form = reader.byte();
    if (form === HOLE) continue;
    if (form !== PRESENT && form !== WITH_NULLS) throw new Error(`damaged batch: column form ${form}`);
    const oid = reader.varint();
    const typmod = unzigzag(reader.varint());
    const phys = physOf(oid);
    const valid = form === WITH_NULLS ? readBitmap(reader, n, arena) : 0;
    const data = arena.alloc(n * PHYS_WIDTH[phys]);
    const column: Column = { type: { oid, typmod }, phys, data, valid };
    readData(column, n, reader, arena);
    columns[i] = column;
  }
  columns.length = width;
  return { batch: { n, columns, weights }, end: reader.at };
}

export function decodeBatch(bytes: Buffer, arena: Arena): Batch {
  const { batch, end } = readBatch(bytes, 0, arena);
  if (end !== bytes.length) throw new Error(`damaged batch: ${bytes.length - end} bytes too many`);
  return batch;
}

function plainWeights(batch: Batch): boolean {
  return kernels.allOne(batch.weights, batch.n) !== 0;
}

function hasNulls(column: Column, n: number): boolean {
  return column.valid !== 0 && kernels.allSet(column.valid, n) === 0;
}

/** True when the row's value is there. */
const present = (column: Column, row: number) => column.valid === 0 || U8[column.valid + row] !== 0;

function isWide(slot: number): boolean {
  return U8[slot + 10] === NUMERIC_WIDE;
}

function dataSize(column: Column, n: number): number {
  let bytes = n * PHYS_WIDTH[column.phys];
  if (column.phys === 'varlen') {
    bytes = n * 4 + kernels.varlenBytes(column.data, column.valid, n);
  } else if (column.phys === 'numeric') {
    bytes += kernels.wideBytes(column.data, column.valid, n);
  }
  return bytes;
}

function writeData(column: Column, n: number, to: Buffer, at: number): number {
  switch (column.phys) {
    case 'varlen':
      return writeVarlen(column, n, to, at);
    case 'numeric':
      return writeNumeric(column, n, to, at);
    default:
      return writeSlots(column, n, to, at);
  }
}

/** Slots as they lie; those of NULLs as zeros. */
function writeSlots(column: Column, n: number, to: Buffer, at: number): number {
  const width = PHYS_WIDTH[column.phys];
  const end = copyOut(to, at, column.data, n * width);
  if (!hasNulls(column, n)) return end;
  for (let row = 0; row < n; row++)
    if (U8[column.valid + row] === 0) to.fill(0, at + row * width, at + (row + 1) * width);
  return end;
}

/** Packed in the shared memory, then copied out at once. */
function writeVarlen(column: Column, n: number, to: Buffer, at: number): number {
  return withScratch((scratch) => {
    const packed = scratch.alloc(dataSize(column, n) + PACK_SPARE);
    const end = kernels.packVarlen(column.data, column.valid, n, packed) >>> 0;
    return copyOut(to, at, packed, end - packed);
  });
}

function writeNumeric(column: Column, n: number, to: Buffer, at: number): number {
  let p = writeSlots(column, n, to, at);
  if (kernels.wideBytes(column.data, column.valid, n) === 0) return p;
  for (let row = 0; row < n; row++) {
    const slot = column.data + row * 16;
    if (!present(column, row) || !isWide(slot)) continue;
    to.writeUInt32LE(0, at + row * 16 + 12);
    p = copyOut(to, p, U32[(slot + 12) >>> 2], U32[slot >>> 2]);
  }
  return p;
}

function readData(column: Column, n: number, from: Reader, arena: Arena): void {
  if (column.phys === 'varlen') {
    readVarlen(column, n, from, arena);
    return;
  }
  from.copyTo(column.data, n * PHYS_WIDTH[column.phys]);
  if (column.phys !== 'numeric') return;
  for (let row = 0; row < n; row++) {
    const slot = column.data + row * 16;
    if (!present(column, row) || !isWide(slot)) continue;
    const length = U32[slot >>> 2];
    const address = arena.alloc(length);
    from.copyTo(address, length);
    U32[(slot + 12) >>> 2] = address;
  }
}

function readVarlen(column: Column, n: number, from: Reader, arena: Arena): void {
  const lengths = arena.alloc(n * 4);
  from.copyTo(lengths, n * 4);
  let total = 0;
  for (let i = lengths >>> 2; i < (lengths >>> 2) + n; i++) total += U32[i];
  const address = arena.alloc(total);
  from.copyTo(address, total);
  kernels.unpackVarlen(column.data, n, lengths, address);
}

function writeBitmap(to: Buffer, at: number, valid: number, n: number): number {
  const end = at + ((n + 7) >>> 3);
  to.fill(0, at, end);
  for (let row = 0; row < n; row++) if (U8[valid + row] !== 0) to[at + (row >>> 3)] |= 1 << (row & 7);
  return end;
}

function readBitmap(from: Reader, n: number, arena: Arena): number {
  const at = from.skip((n + 7) >>> 3);
  const valid = arena.alloc(n);
  for (let row = 0; row < n; row++) U8[valid + row] = (from.bytes[at + (row >>> 3)] >>> (row & 7)) & 1;
  return valid;
}

function copyOut(to: Buffer, at: number, address: number, length: number): number {
  if (at + length > to.length) throw new Error('the batch changed while it was written');
  const end = at + length;
  if (length >= MANY) to.fill(BYTES.subarray(address, address + length), at, end);
  else to.set(U8.subarray(address, address + length), at);
  return end;
}

/** typmod is -1 mostly. */
const zigzag = (value: number) => (value < 0 ? -value * 2 - 1 : value * 2);
const unzigzag = (value: number) => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

class Reader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.skip(1)];
  }

  varint(): number {
    const { value, end } = readVarint(this.bytes, this.at);
    this.at = end;
    return value;
  }

  /** Steps over `length` bytes and gives where they start. */
  skip(length: number): number {
    const at = this.at;
    if (at + length > this.bytes.length) throw new Error('damaged batch: it ends too early');
    this.at = at + length;
    return at;
  }

  copyTo(address: number, length: number): void {
    const at = this.skip(length);
    U8.set(this.bytes.subarray(at, at + length), address);
  }
}
