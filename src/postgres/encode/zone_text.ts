/**
 * UTC offsets of the session's zone for timestamptz output. Every change of offset since 1972 falls on a quarter of an hour, so
 * the values of a quarter share one look-up; values come in any order, so many quarters are kept.
 *
 *   offset 0 -> '+00'    19800 -> '+05:30'    -12600 -> '-03:30'
 */
import { EPOCH_DIFF_SECONDS } from '../../../operators/expr/datetime/calendar.ts';
import { findZone } from '../../../operators/expr/datetime/time_zone.ts';
import { writeTwo } from './digits.ts';

/** Seconds east of Greenwich at microseconds since 2000-01-01 UTC. */
export type OffsetFinder = (micros: number) => number;

const QUARTER_MICROS = 900000000;
/** Quarters that are kept: of 40 days. */
const PLACES = 4096;
/** 1972-01-01. */
const QUARTERS_FROM = -883612800000000;

/** Null when there is no such zone. */
export function offsetFinder(name: string): OffsetFinder | null {
  const zone = findZone(name);
  if (zone === undefined) return null;
  const quarters = new Float64Array(PLACES).fill(Number.NaN);
  const offsets = new Int32Array(PLACES);
  return (micros) => {
    if (micros < QUARTERS_FROM) return zone.offsetAt(Math.floor(micros / 1000000) + EPOCH_DIFF_SECONDS);
    const quarter = Math.floor(micros / QUARTER_MICROS);
    const place = quarter & (PLACES - 1);
    if (quarters[place] !== quarter) {
      offsets[place] = zone.offsetAt(Math.floor(micros / 1000000) + EPOCH_DIFF_SECONDS);
      quarters[place] = quarter;
    }
    return offsets[place];
  };
}

/** `+05`, `+05:30` or `+05:30:15`; at most 9 bytes. */
export function writeOffset(buf: Uint8Array, pos: number, offset: number): number {
  buf[pos] = offset < 0 ? 45 : 43;
  const size = offset < 0 ? -offset : offset;
  const hours = Math.floor(size / 3600);
  const minutes = Math.floor(size / 60) % 60;
  const seconds = size % 60;
  let at = writeTwo(buf, pos + 1, hours);
  if (minutes === 0 && seconds === 0) return at;
  buf[at] = 58;
  at = writeTwo(buf, at + 1, minutes);
  if (seconds === 0) return at;
  buf[at] = 58;
  return writeTwo(buf, at + 1, seconds);
}
