/** A statement's signal does what Node's does, as far as it is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatementSignal } from './statement_signal.ts';

/** What listeners of `signal` hear, among them one that is removed before and one that comes afterwards. */
function heard(signal: AbortSignal, abort: (reason: unknown) => void): unknown[] {
  const said: unknown[] = [];
  const twice = () => said.push('twice');
  const removed = () => said.push('removed');
  signal.throwIfAborted();
  said.push(signal.aborted, signal.reason);
  signal.addEventListener('abort', twice);
  signal.addEventListener('abort', removed);
  signal.addEventListener('abort', twice, { once: true });
  signal.addEventListener('abort', () => said.push(signal.aborted, signal.reason));
  signal.removeEventListener('abort', removed);
  abort('first');
  abort('second');
  signal.addEventListener('abort', () => said.push('late'));
  abort('third');
  signal.removeEventListener('abort', twice);
  said.push(signal.aborted, signal.reason);
  try {
    signal.throwIfAborted();
  } catch (error) {
    said.push('thrown', error);
  }
  return said;
}

test('as an AbortSignal', () => {
  const own = new StatementSignal();
  const nodes = new AbortController();
  const expected = heard(nodes.signal, (reason) => nodes.abort(reason));
  assert.deepEqual(
    heard(own, (reason) => own.abort(reason)),
    expected,
  );
  assert.ok(expected.includes('twice') && !expected.includes('removed') && !expected.includes('late'));
});
