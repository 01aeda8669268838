/** The `start` option of a stream: 'earliest', 'latest', a timestamp, or 'partition:offset,...'. */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { EPOCH_DIFF_MS } from '../../operators/expr/datetime/calendar.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { colType, OID } from '../../operators/types.ts';
import type { StartPosition } from './source.ts';

/** Throws SqlError 22023 for a text that says nothing. */
export function startPosition(text = 'earliest'): StartPosition {
  const t = text.trim();
  if (t === 'earliest' || t === 'latest') return { k: t };
  if (/^\d+\s*:\s*\d+(\s*,\s*\d+\s*:\s*\d+)*$/.test(t)) return { k: 'at', offsets: parseOffsets(t) };
  const ms = milliseconds(t);
  if (ms !== null) return { k: 'timestamp', ms };
  throw new SqlError('22023', `invalid value for option "start": "${text}"`, {
    hint: "Use 'earliest', 'latest', a timestamp, or 'partition:offset,...'.",
  });
}

function parseOffsets(text: string): Map<number, bigint> {
  const offsets = new Map<number, bigint>();
  for (const part of text.split(',')) {
    const [partition, offset] = part.split(':');
    offsets.set(Number(partition), BigInt(offset.trim()));
  }
  return offsets;
}

/** Any timestamptz literal, or milliseconds since 1970; null when the text is no time. */
function milliseconds(text: string): number | null {
  if (/^\d{10,}$/.test(text)) return Number(text);
  let value: Datum;
  try {
    value = inputText(text, colType(OID.timestamptz), defaultContext());
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
  return Number((value as bigint) / 1000n) + EPOCH_DIFF_MS;
}
