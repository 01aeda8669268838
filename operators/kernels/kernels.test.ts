/** The small kernels against what they mean in plain JavaScript, on random bytes at random places. The JSON scanner's test is the decoder's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BYTES, I32, I64, U8 } from '../batch/memory.ts';
import { readVarlenBytes, writeSlot } from '../batch/slots.ts';
import { decimal } from '../datum.ts';
import { finish, hashNumeric } from '../state/slot_order.ts';
import { Random, testSeed } from '../testing/property.ts';
import { OID } from '../types.ts';
import { kernels } from './index.ts';

const arena = new Arena();
const place = arena.alloc(2 * 65536);
const random = new Random(testSeed());

function randomBytes(length: number, letters: number): Buffer {
  return Buffer.from(Array.from({ length }, () => 255 - random.below(letters)));
}

test('hash, equality and order of bytes', () => {
  for (let round = 0; round < 3000; round++) {
    const length = 8 + random.below(60);
    const a = randomBytes(length, 2);
    const b = random.below(2) === 0 ? Buffer.from(a) : randomBytes(length, 2);
    if (random.below(2) === 0) b[random.below(length)] ^= 1;
    const x = place + random.below(32);
    const y = place + 1000 + random.below(32);
    U8.set(a, x);
    U8.set(b, y);
    const equal = a.equals(b);
    assert.equal(kernels.equalBytes(x, y, length) !== 0, equal);
    const order = kernels.compareBytes(x, y, length);
    assert.equal(Math.sign(order), Buffer.compare(a, b));
    const hashes = [kernels.hashBytes(5, x, length), kernels.hashBytes(5, y, length)].map(finish);
    assert.equal(hashes[0] === hashes[1], equal, `${a.toString('hex')} ${b.toString('hex')}`);
  }
  assert.equal(kernels.compareBytes(place, place, 0), 0);
});

test('copying and filling', () => {
  U8.set(Buffer.from('0123456789'), place);
  kernels.copyBytes(place + 3, place, 10);
  assert.equal(BYTES.latin1Slice(place, place + 13), '0120123456789');
  kernels.fillBytes(place + 1, 65, 4);
  assert.equal(BYTES.latin1Slice(place, place + 6), '0AAAA2');
});

/** Places in the middle of a page and so near its end that 16 bytes do not fit. */
function textAt(bytes: Buffer): number {
  const address =
    random.below(2) === 0
      ? place + 20_000 + random.below(32)
      : ((place + 65_535) & ~0xffff) - bytes.length - random.below(3);
  U8.set(bytes, address);
  return address;
}

test('searching, counting, replacing and cutting bytes', () => {
  const [needleAt, insertAt, out] = [place, place + 64, place + 256];
  let found = 0;
  for (let round = 0; round < 5000; round++) {
    const text = randomBytes(random.below(80), 2 + random.below(3));
    const needle = randomBytes(1 + random.below(4), 2);
    const insert = randomBytes(random.below(20), 3);
    const from = textAt(text);
    const end = from + text.length;
    U8.set(needle, needleAt);
    U8.set(insert, insertAt);
    const at = kernels.findBytes(from, end, needleAt, needle.length) >>> 0;
    assert.equal(at === 0 ? -1 : at - from, text.indexOf(needle));
    const parts = text.toString('latin1').split(needle.toString('latin1'));
    assert.equal(kernels.countBytes(from, end, needleAt, needle.length), parts.length - 1);
    if (parts.length > 1) found++;
    const replaced = parts.join(insert.toString('latin1'));
    U8[out + replaced.length] = 7;
    kernels.replaceBytes(from, end, needleAt, needle.length, insertAt, insert.length, out);
    assert.equal(BYTES.latin1Slice(out, out + replaced.length), replaced);
    assert.equal(U8[out + replaced.length], 7, 'nothing is written behind the result');
    const [cursor, slot] = [place + 128, place + 160];
    I32.set([1, from, from, end], cursor >>> 2);
    for (let k = 0; k < 4; k++) {
      const n = 1 + random.below(6);
      kernels.splitPart(cursor, needleAt, needle.length, n, slot);
      assert.equal(readVarlenBytes(slot).length, (parts[n - 1] ?? '').length);
      assert.equal(Buffer.from(readVarlenBytes(slot)).toString('latin1'), parts[n - 1] ?? '');
    }
  }
  assert.ok(found > 1000);
});

test('bytes of one kind in texts of all lengths', () => {
  const needleAt = place;
  let counted = 0;
  for (let length = 0; length < 400; length++) {
    const text = randomBytes(length, 3);
    const from = textAt(text);
    U8[needleAt] = 255 - random.below(3);
    const expected = text.reduce((sum, byte) => sum + (byte === U8[needleAt] ? 1 : 0), 0);
    assert.equal(kernels.countBytes(from, from + length, needleAt, 1), expected, `${length} bytes`);
    counted += expected;
  }
  assert.ok(counted > 10_000);
});

test('characters and letters of bytes', () => {
  const characters = ['a', 'Z', 'A', 'z', '@', '[', '`', '{', '7', 'ü', '€', '𝄞'];
  for (let round = 0; round < 3000; round++) {
    const kinds = random.below(2) === 0 ? 9 : characters.length;
    const text = Array.from({ length: random.below(50) }, () => characters[random.below(kinds)]).join('');
    const bytes = Buffer.from(text);
    const from = textAt(bytes);
    const end = from + bytes.length;
    assert.equal(kernels.countCharacters(from, end), [...text].length);
    const ascii = /^[\0-\x7f]*$/.test(text);
    assert.equal(kernels.isAscii(from, end) !== 0, ascii);
    for (const [first, changed] of [
      [65, text.toLowerCase()],
      [97, text.toUpperCase()],
    ] as const) {
      assert.equal(kernels.casesOf(from, end, first), ascii ? Number(changed !== text) : -1);
      if (!ascii) continue;
      kernels.changeCase(from, end, first, place);
      assert.equal(BYTES.latin1Slice(place, place + bytes.length), changed);
    }
  }
});

test('looking over validity, weights and times', () => {
  for (let round = 0; round < 2000; round++) {
    const n = random.below(50);
    const valid = Array.from({ length: n }, () => (random.below(40) === 0 ? 0 : 1));
    const weights = valid.map(() => random.below(60) - 1);
    const times = valid.map(() => (BigInt(random.below(2 ** 31)) - 2n ** 30n) * 2n ** BigInt(random.below(33)));
    U8.set(valid, place);
    I32.set(weights, (place + 1024) >>> 2);
    for (let i = 0; i < n; i++) I64[(place + 2048) / 8 + i] = times[i];
    assert.equal(kernels.allSet(place, n) !== 0, !valid.includes(0));
    assert.equal(
      kernels.allPositive(place + 1024, n) !== 0,
      weights.every((w) => w > 0),
    );
    assert.equal(
      kernels.allOne(place + 1024, n) !== 0,
      weights.every((w) => w === 1),
    );
    I32.fill(1, (place + 1024) >>> 2, ((place + 1024) >>> 2) + n);
    assert.equal(kernels.allOne(place + 1024, n), 1);
    const result = place + 8192;
    for (const address of [0, place]) {
      const present = times.filter((_, i) => address === 0 || valid[i] !== 0);
      assert.equal(kernels.boundsOfInt64(place + 2048, address, n, result) !== 0, present.length > 0);
      if (present.length === 0) continue;
      assert.equal(
        I64[result / 8],
        present.reduce((a, b) => (a < b ? a : b)),
      );
      assert.equal(
        I64[result / 8 + 1],
        present.reduce((a, b) => (a > b ? a : b)),
      );
    }
  }
});

test('numbers that are equal hash alike, whatever their scale and form', () => {
  const hash = (m: bigint, s: number) => {
    const slot = arena.allocZeroed(16);
    writeSlot('numeric', OID.numeric, slot, decimal(m, s), arena);
    return hashNumeric(7, slot);
  };
  for (const [m, s] of [
    [0n, 0],
    [15n, 1],
    [-15n, 1],
    [123456789n, 3],
    [-9007199254740993n, 2],
    [3n * 10n ** 14n, 0],
    [7n * 10n ** 17n, 15],
  ] as [bigint, number][]) {
    const same = [0, 1, 2, 3, 9, 20].map((more) => hash(m * 10n ** BigInt(more), s + more));
    assert.equal(new Set(same).size, 1, `${m} ${s}`);
  }
  assert.notEqual(hash(15n, 1), hash(15n, 2));
  assert.notEqual(hash(15n, 1), hash(-15n, 1));
});
