/** A statement over tables t_a and its other form over t_b: both have to do the same. `@` in a text stands for the letter. */
import assert from 'node:assert/strict';
import type { Session } from './harness.ts';

const LETTERS = ['a', 'b'];

/** What a statement does: that it is done, or its error without the letter. */
export async function outcome(session: Session, text: string): Promise<string> {
  try {
    await session.run(text);
    return 'done';
  } catch (error) {
    const { sqlstate, message, fields } = error as { sqlstate: string; message: string; fields?: { detail?: string } };
    return `${sqlstate} ${message} ${fields?.detail ?? ''}`.replaceAll(/_[ab]\b|_[ab]_/g, '');
  }
}

/** Each query, what stands behind SELECT * FROM, gives the same rows with both letters. */
export async function sameRows(
  run: (text: string) => Promise<(string | null)[][]>,
  queries: string[],
  label: string,
): Promise<void> {
  for (const query of queries) {
    const [a, b] = LETTERS.map((letter) => run(`SELECT * FROM ${query.replace('@', letter)}`));
    assert.deepEqual((await a).map(String).sort(), (await b).map(String).sort(), `${query}, ${label}`);
  }
}
