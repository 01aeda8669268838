import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { U8 } from '../batch/memory.ts';
import { writeSlot } from '../batch/slots.ts';
import { type Datum, decimal, type PgRecord, pgArray } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { compareDatum } from '../expr/compare.ts';
import '../expr/functions/index.ts';
import { kernels } from '../kernels/index.ts';
import { Random, testSeed, times } from '../testing/property.ts';
import { OID } from '../types.ts';
import { compareDecoded, mix } from './slot_order.ts';

/** What the kernel computes, in words of four bytes. */
function hashOf(seed: number, bytes: Uint8Array): number {
  let h = seed;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4)
    h = mix(h, bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
  let rest = 0;
  for (let shift = 0; at < bytes.length; at++, shift += 8) rest |= bytes[at] << shift;
  return mix(mix(h, rest), bytes.length);
}

test('the hash and the equality of bytes are those of the kernels, at any address and length', () => {
  const arena = new Arena();
  for (let length = 0; length < 80; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 7) & 255);
    const address = arena.alloc(length + 8) + (length % 5);
    const copy = arena.alloc(length + 8) + (length % 3);
    U8.set(bytes, address);
    U8.set(bytes, copy);
    assert.equal(kernels.hashBytes(length * 12345, address, length), hashOf(length * 12345, bytes) | 0);
    assert.equal(kernels.equalBytes(address, copy, length), 1);
    if (length === 0) continue;
    U8[copy + length - 1] ^= 1;
    assert.equal(kernels.equalBytes(address, copy, length), 0);
  }
  arena.release();
});

const FIELDS: [oid: number, values: Datum[]][] = [
  [OID.int4, [1, 2, -1]],
  [OID.int8, [1n, -(2n ** 63n)]],
  [OID.float8, [0, -0, Number.NaN, 1.5, Number.POSITIVE_INFINITY]],
  [OID.numeric, [decimal(10n, 1), decimal(1n), decimal(3n)]],
  [OID.text, ['', 'a', 'ab', 'é', '\u{1f600}', '\uffee']],
  [OID.bool, [true, false]],
  [OID.bytea, [new Uint8Array([1]), new Uint8Array([1, 2])]],
  [1007, [pgArray(OID.int4, [1]), pgArray(OID.int4, [1, null])]],
];

test('records in their slots are in the order of their values', () => {
  const random = new Random(testSeed());
  const arena = new Arena();
  const record = (fields: number, types: number[]): PgRecord => {
    const values = types.slice(0, fields).map((type): Datum => {
      if (random.below(5) === 0) return null;
      return type === FIELDS.length ? record(2, types.slice(-2)) : random.pick(FIELDS[type][1]);
    });
    const oids = types.slice(0, fields).map((type) => (type === FIELDS.length ? OID.record : FIELDS[type][0]));
    return { k: 'record', types: oids, values };
  };
  const outcome = (work: () => number) => {
    try {
      return Math.sign(work());
    } catch (error) {
      if (error instanceof SqlError) return error.message;
      throw error;
    }
  };
  for (let round = 0; round < times(4000); round++) {
    // Simple fields last: those of a record inside.
    const types = Array.from({ length: 4 }, (_, i) => random.below(FIELDS.length + (i < 2 ? 1 : 0)));
    const others = random.below(10) === 0 ? types.map((type) => (type + 1) % FIELDS.length) : types;
    const fields = 1 + random.below(4);
    const a = record(fields, types);
    const b = record(random.below(10) === 0 ? 1 + random.below(4) : fields, others);
    const [x, y] = [a, b].map((value) => {
      const slot = arena.allocZeroed(16);
      writeSlot('varlen', OID.record, slot, value, arena);
      return slot;
    });
    assert.equal(
      outcome(() => compareDecoded(x, y, OID.record)),
      outcome(() => compareDatum(a, b, OID.record)),
      `round ${round}`,
    );
    if (round % 100 === 0) arena.reset();
  }
  arena.release();
});
