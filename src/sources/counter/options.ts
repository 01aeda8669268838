/** The options of CREATE STREAM ... WITH (connector = 'counter', ...). */
import { SqlError } from '../../../operators/errors.ts';

export interface CounterOptions {
  /** Rows delivered a second; 0: as fast as they are read. */
  rowsPerSecond: number;
  /** How many there are; Infinity for no end. */
  rows: number;
}

const COUNTER_OPTIONS: Record<string, string> = {
  rows_per_second: 'rows delivered a second (without it: as fast as they are read)',
  rows: 'how many rows there are (without it: no end)',
};

/** Read by the catalog and the stream, not by the counter. */
const OF_EVERY_STREAM = ['connector', 'start', 'idle_timeout', 'idle_timeout_ms'];

/** Reads the options by name. Throws SqlError 22023 for an unknown name (listing the known ones), a bad value, or rows without an end at full speed. */
export function parseCounterOptions(given: Readonly<Record<string, string>>): CounterOptions {
  for (const name of Object.keys(given)) {
    if (name in COUNTER_OPTIONS || OF_EVERY_STREAM.includes(name)) continue;
    throw new SqlError('22023', `unrecognized option "${name}" for connector "counter"`, {
      hint: `Valid options are: ${Object.keys(COUNTER_OPTIONS).join(', ')}.`,
    });
  }
  const rowsPerSecond = integer(given, 'rows_per_second', 1, 1e9);
  const rows = integer(given, 'rows', 0, Number.MAX_SAFE_INTEGER);
  if (rowsPerSecond === undefined && rows === undefined) {
    throw new SqlError('22023', 'connector "counter" needs rows_per_second, rows or both', {
      hint: 'Without either it would count for ever, as fast as rows are read.',
    });
  }
  return { rowsPerSecond: rowsPerSecond ?? 0, rows: rows ?? Number.POSITIVE_INFINITY };
}

function integer(
  given: Readonly<Record<string, string>>,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = given[name];
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new SqlError('22023', `invalid value for option "${name}": "${text}"`, {
    hint: `It must be an integer from ${least} to ${most}: ${COUNTER_OPTIONS[name]}.`,
  });
}
