import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_FRAME_BYTES, newRing, RingReader, RingWriter } from './ring.ts';

test('a frame is read before its place is given back: what the other thread writes there at once is no part of it', (t) => {
  const ring = newRing();
  const [writer, reader] = [new RingWriter(ring), new RingReader(ring)];
  const bytes = new Uint8Array(MAX_FRAME_BYTES - 12);
  let sent = 0;
  const send = () => writer.write(1, sent, bytes.fill(sent)) && ++sent;
  while (send());
  const full = sent;
  // The other thread writes between a store of this one and what it does next.
  const { store } = Atomics;
  let isOther = false;
  t.mock.method(Atomics, 'store', (array: Int32Array, index: number, value: number) => {
    const stored = store(array, index, value);
    if (isOther) return stored;
    isOther = true;
    send();
    isOther = false;
    return stored;
  });
  const seen: [id: number, byte: number][] = [];
  reader.drain((_, id, { 0: byte }) => seen.push([id, byte]));
  assert.equal(sent, 2 * full);
  assert.deepEqual(
    seen,
    Array.from({ length: full }, (_, i) => [i, i]),
  );
});
