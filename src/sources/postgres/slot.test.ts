import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UpstreamSession } from './session.ts';
import { checkSlot, checkSlotName } from './slot.ts';

/** A database whose only slot is this. */
function withSlot(slot: (string | null)[]): UpstreamSession {
  return { query: async () => [slot] } as unknown as UpstreamSession;
}

test('a slot that is just being made is no other one', async () => {
  await checkSlotName(withSlot(['', 't']), 's');
  await assert.rejects(checkSlot(withSlot(['', 't', 't', '7', null, 'reserved', '0/1']), 's', null), {
    sqlstate: '55006',
  });
  for (const [plugin, isOurs] of [
    [null, null],
    ['pgoutput', 'f'],
    ['', 'f'],
    ['test_decoding', 't'],
  ])
    await assert.rejects(checkSlotName(withSlot([plugin, isOurs]), 's'), /of another database or of another plugin/);
});
