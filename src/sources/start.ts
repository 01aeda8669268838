/** The timestamp form of the `start` option: any timestamptz literal, or milliseconds since 1970. */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { colType, OID } from '../../operators/types.ts';

const EPOCH_SHIFT_MS = 946684800000;

/** Milliseconds since 1970, or null when the text is no time. */
export function startMilliseconds(text: string): number | null {
  if (/^\d{10,}$/.test(text)) return Number(text);
  let value: Datum;
  try {
    value = inputText(text, colType(OID.timestamptz), defaultContext());
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
  return Number((value as bigint) / 1000n) + EPOCH_SHIFT_MS;
}
