import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceStatus } from './source_status.ts';

test('a partition that stands still says so when the cluster is well again; one that is new is no trouble', () => {
  const status = new SourceStatus();
  const all = () => [null, 0, 1].map((partition) => status.of(partition));
  status.take({ kind: 'partition_added', partition: 1, earliest: 0n });
  assert.deepEqual(all(), [null, null, null]);
  status.take({ kind: 'corrupt', partition: 0, offset: 5n, message: 'bad' });
  assert.deepEqual(all(), [null, 'corrupt: bad', null]);
  status.take({ kind: 'unreachable', message: 'away' });
  assert.deepEqual(all(), Array(3).fill('unreachable: away'));
  status.take({ kind: 'recovered' });
  assert.deepEqual(all(), [null, 'corrupt: bad', null]);
  status.take({ kind: 'registry', message: 'gone' });
  assert.deepEqual(all(), ['registry: gone', 'corrupt: bad', 'registry: gone']);
  status.take({ kind: 'registry', message: null });
  assert.deepEqual(all(), [null, 'corrupt: bad', null]);
});
