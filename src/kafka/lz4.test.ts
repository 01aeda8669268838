/** Frames of another writer are unpacked to what it packed; damaged ones give bytes or an error, and write nowhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import lz4 from 'lz4-napi';
import { Arena } from '../../operators/batch/arena.ts';
import { BYTES } from '../../operators/batch/memory.ts';
import { Random, testSeed, times } from '../../operators/testing/property.ts';
import { unpackLz4 } from './lz4.ts';

function randomBytes(random: Random): Buffer {
  const length = random.below(3) === 0 ? random.below(300_000) : random.below(600);
  const bytes = Buffer.alloc(length);
  const repeats = random.below(4) > 0;
  for (let i = 0; i < length; ) {
    if (repeats && i > 0 && random.below(3) > 0) {
      const back = 1 + random.below(Math.min(i, 1 << random.below(17)));
      for (let n = 4 + random.below(random.below(8) === 0 ? 5000 : 60); n > 0 && i < length; n--, i++)
        bytes[i] = bytes[i - back];
    } else
      for (let n = 1 + random.below(random.below(8) === 0 ? 2000 : 20); n > 0 && i < length; n--)
        bytes[i++] = random.below(256);
  }
  return bytes;
}

function unpacked(packed: Buffer): Buffer | null {
  const arena = new Arena();
  try {
    const found = unpackLz4(packed, arena);
    return found === null ? null : Buffer.from(found);
  } finally {
    arena.release();
  }
}

test('frames are unpacked; one behind the other, too', () => {
  const random = new Random(testSeed());
  for (let i = 0; i < times(60); i++) {
    const parts = Array.from({ length: 1 + random.below(2) }, () => randomBytes(random));
    const packed = Buffer.concat(parts.map((part) => lz4.compressFrameSync(part)));
    const whole = Buffer.concat(parts);
    assert.ok(unpacked(packed)?.equals(whole), `round ${i}`);
  }
});

test('a damaged frame gives bytes or an error, and nothing outside of its room is written', () => {
  const random = new Random(testSeed());
  const arena = new Arena();
  for (let i = 0; i < times(300); i++) {
    const before = arena.copyIn(Buffer.alloc(64, 7));
    const packed = lz4.compressFrameSync(randomBytes(random).subarray(0, 5000));
    for (let n = 1 + random.below(4); n > 0; n--) packed[7 + random.below(packed.length - 7)] = random.below(256);
    const cut = random.below(3) === 0 ? packed.subarray(0, random.below(packed.length)) : packed;
    try {
      unpacked(cut);
    } catch (error) {
      assert.match(String(error), /LZ4/);
    }
    assert.ok(BYTES.subarray(before, before + 64).equals(Buffer.alloc(64, 7)));
    arena.reset();
  }
  arena.release();
});
