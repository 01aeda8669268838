/** Which failures of leaders are asked about again, and which are told at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOfCode } from './client.ts';
import { askLeaders } from './leaders.ts';

const UNKNOWN_TOPIC = 3;
const NOT_LEADER = 6;
const NOT_AUTHORIZED = 29;

/** Asks; the first answers are these errors. */
async function asked(codes: number[], ofRefresh: number[] = []): Promise<[refreshed: number, asked: number]> {
  const count: [number, number] = [0, 0];
  const answer = (which: 0 | 1, failures: number[]) => {
    const code = failures[count[which]++];
    return code === undefined ? Promise.resolve() : Promise.reject(errorOfCode(code));
  };
  await askLeaders(
    () => answer(0, ofRefresh),
    () => answer(1, codes),
  );
  return count;
}

test('leaders that move are asked again, by what is known of them then', async () => {
  assert.deepEqual(await asked([]), [1, 1]);
  // A topic that was just made: one broker leads a partition and has not heard of it.
  assert.deepEqual(await asked([NOT_LEADER, UNKNOWN_TOPIC]), [3, 3]);
});

test('what will not change is told at once', async () => {
  await assert.rejects(asked([NOT_AUTHORIZED, NOT_AUTHORIZED]), /[Aa]uthorized/);
  await assert.rejects(asked([], [UNKNOWN_TOPIC]), /does not host this topic/);
});
