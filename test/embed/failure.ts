/** For tests of the library. */
import assert from 'node:assert/strict';
import { TidemarkError } from 'tidemark';

/** The error of the database that this ends with. */
export async function failureOf(work: Promise<unknown>): Promise<TidemarkError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof TidemarkError, String(error));
    return error;
  }
  return assert.fail('it did not fail');
}
