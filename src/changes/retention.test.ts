/** What an option `retention` says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { DEFAULT_RETENTION, keepsNothing, longer, retentionOf } from './retention.ts';

test('times, sizes, both, and nothing', () => {
  assert.equal(retentionOf(undefined), DEFAULT_RETENTION);
  assert.deepEqual(retentionOf('1 hour'), { micros: 3_600_000_000n, bytes: null });
  assert.deepEqual(retentionOf('2 days 00:00:01'), { micros: 172_801_000_000n, bytes: null });
  assert.deepEqual(retentionOf('1.5 MiB'), { micros: null, bytes: 1_572_864 });
  assert.deepEqual(retentionOf('10 GB, 1 day'), { micros: 86_400_000_000n, bytes: 10e9 });
  for (const nothing of ['0', '0 MB', '0 seconds', '0, 1 hour']) assert.ok(keepsNothing(retentionOf(nothing)), nothing);
  for (const wrong of ['', 'for ever', '1 month', '-1 hour', '1 hour, 2 hours', '1 MB, 2 MB', '1 MB, 1 hour, 0'])
    assert.throws(
      () => retentionOf(wrong),
      (error) => error instanceof SqlError && error.sqlstate === '22023',
      wrong,
    );
});

test('the longer of two keeps what either asks for', () => {
  const hour = retentionOf('1 hour');
  assert.deepEqual(longer(hour, retentionOf('0')), hour);
  assert.deepEqual(longer(retentionOf('0'), hour), hour);
  assert.deepEqual(longer(hour, retentionOf('1 MB')), { micros: null, bytes: null });
  assert.deepEqual(longer(retentionOf('1 hour, 2 MB'), retentionOf('2 hours, 1 MB')), retentionOf('2 hours, 2 MB'));
});
