import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { U8 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { mix } from './slot_order.ts';

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
