/**
 * Ticks as the positions in a log that replication counts by.
 *
 *   tick t:  ... | Begin(commit = 8t + 4) ... Commit | end = 8t + 8 | ...
 *
 * Who has read a snapshot of tick s begins at end(s), before which all commits up to s lie and none after it; who has confirmed end(t) has tick t.
 * PostgreSQL writes a position as two hexadecimal numbers, the upper and the lower 32 bits.
 */
import { SqlError } from '../../../operators/errors.ts';

export const commitOf = (tick: bigint): bigint => 8n * tick + 4n;
export const endOf = (tick: bigint): bigint => 8n * tick + 8n;

/** The last tick that lies whole before a position; -1n: none does. */
export const tickBefore = (lsn: bigint): bigint => lsn / 8n - 1n;

export function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

/** Throws 22P02. */
export function parseLsn(text: string): bigint {
  const match = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(text);
  if (match === null) throw new SqlError('22P02', `invalid input syntax for type pg_lsn: "${text}"`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}
