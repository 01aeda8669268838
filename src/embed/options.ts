/** Options as callers give them, looked at before anything is done: a misspelt one would otherwise be as if it were not there. */
import type { OpenOptions } from './tidemark.d.ts';
import { TidemarkError } from './tidemark_error.ts';

const OF_OPEN = ['data', 'memoryLimit', 'clock', 'kafka', 'listen', 'log'];

/** Fails when `options` is no object, or has what `call` does not know. */
export function checkOptions(call: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw wrong(`${call} takes its options as an object, not ${JSON.stringify(options)}`);
  const other = Object.keys(options).find((name) => !known.includes(name));
  if (other !== undefined) throw wrong(`${call} has no option "${other}"`, `Its options: ${known.join(', ')}.`);
}

/** Those of open() that the database's thread cannot look at. */
export function checkOpenOptions(options: OpenOptions): void {
  checkOptions('open()', options, OF_OPEN);
  const { data, log } = options;
  if (data !== undefined && (typeof data !== 'string' || data === ''))
    throw wrong('data is the path of a directory, as a text');
  if (log !== undefined && typeof log !== 'function') throw wrong('log is a function');
}

function wrong(message: string, hint?: string): TidemarkError {
  return new TidemarkError({ code: '22023', message, hint });
}
