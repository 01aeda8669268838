/**
 * How long changes are kept: by the clock of the ticks, by size, or by both, whichever is reached first.
 *
 *   '1 hour'   '512 MiB'   '1 day, 10 GiB'   '0': nothing is kept
 */

import type { Interval } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { colType, OID } from '../../operators/types.ts';

/** Null: not bounded by this. */
export interface Retention {
  micros: bigint | null;
  bytes: number | null;
}

export const DEFAULT_RETENTION: Retention = { micros: 3_600_000_000n, bytes: 2 ** 30 };

const UNITS: Record<string, number> = {
  b: 1,
  kb: 1000,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** The option's value; the default when it is absent. */
export function retentionOf(text: string | undefined): Retention {
  if (text === undefined) return DEFAULT_RETENTION;
  const retention: Retention = { micros: null, bytes: null };
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > 2) throw invalid(text);
  for (const part of parts) {
    const bytes = bytesOf(part);
    const field = bytes === null ? 'micros' : 'bytes';
    if (retention[field] !== null) throw invalid(text);
    if (bytes === null) retention.micros = microsOf(part, text);
    else retention.bytes = bytes;
  }
  return retention;
}

export function keepsNothing({ micros, bytes }: Retention): boolean {
  return micros === 0n || bytes === 0;
}

/** What keeps everything that one of the two asks for. */
export function longer(a: Retention, b: Retention): Retention {
  if (keepsNothing(a)) return b;
  if (keepsNothing(b)) return a;
  return {
    micros: a.micros === null || b.micros === null ? null : a.micros > b.micros ? a.micros : b.micros,
    bytes: a.bytes === null || b.bytes === null ? null : Math.max(a.bytes, b.bytes),
  };
}

function bytesOf(part: string): number | null {
  if (part === '0') return 0;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b)$/i.exec(part);
  const unit = match === null ? undefined : UNITS[match[2].toLowerCase()];
  return match === null || unit === undefined ? null : Math.floor(Number(match[1]) * unit);
}

function microsOf(part: string, text: string): bigint {
  let value: Interval;
  try {
    value = inputText(part, colType(OID.interval), defaultContext()) as Interval;
  } catch (error) {
    if (error instanceof SqlError) throw invalid(text);
    throw error;
  }
  const micros = BigInt(value.days) * 86_400_000_000n + value.micros;
  if (value.months !== 0 || micros < 0n) throw invalid(text);
  return micros;
}

function invalid(text: string): SqlError {
  return new SqlError('22023', `invalid value for parameter "retention": "${text}"`, {
    hint: "Write a time without months, a size, or both: '1 hour', '512 MiB', '1 day, 10 GiB'; '0' keeps nothing.",
  });
}
