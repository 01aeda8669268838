/**
 * Text and binary of date, time, timetz, timestamp, timestamptz and interval.
 *
 * Binary: date int32 days, times and timestamps int64 microseconds since 2000, timetz int64 + int32 seconds west,
 * interval int64 microseconds + int32 days + int32 months. A timetz datum is its text, `hh:mm:ss[.fff]+hh[:mm]`.
 */
import type { Interval } from '../../datum.ts';
import { interval } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import {
  dateOutOfRange,
  END_DATE,
  isFiniteDate,
  isFiniteTimestamp,
  MICROS_PER_DAY,
  MIN_DATE,
  timestampInRange,
  timestampOutOfRange,
} from '../datetime/calendar.ts';
import { dateIn, timeIn, timestampIn, timetzIn } from '../datetime/input.ts';
import { intervalOut } from '../datetime/interval_output.ts';
import { coerceInterval, compareInterval, roundMicros } from '../datetime/interval_value.ts';
import { dateOut, timeOut, timestampOut, timestamptzOut } from '../datetime/output.ts';
import { intervalIn } from '../datetime/parse_interval.ts';
import { compareTimetz, makeTimetz, timetzParts } from '../datetime/timetz.ts';
import { registerIo } from './registry.ts';
import { fixed, packed } from './wire.ts';

const compareNumbers = (a: number, b: number) => a - b;
const compareBigints = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

registerIo(OID.date, {
  in: dateIn,
  out: dateOut,
  recv: (bytes) => {
    const d = fixed(bytes, 4).getInt32(0);
    if (isFiniteDate(d) && (d < MIN_DATE || d >= END_DATE)) throw dateOutOfRange();
    return d;
  },
  send: (d: number) => packed(4, (v) => v.setInt32(0, d)),
});
registerCompare(OID.date, compareNumbers);

registerIo(OID.time, {
  in: timeIn,
  out: timeOut,
  recv: (bytes) => {
    const t = fixed(bytes, 8).getBigInt64(0);
    if (t < 0n || t > MICROS_PER_DAY) throw new SqlError('22008', 'time out of range');
    return t;
  },
  send: (t: bigint) => packed(8, (v) => v.setBigInt64(0, t)),
  typmod: (t: bigint, typmod) => roundMicros(t, typmod),
});
registerCompare(OID.time, compareBigints);

registerIo(OID.timetz, {
  in: (text, ctx) => {
    const { micros, offset } = timetzIn(text, ctx);
    return makeTimetz(micros, offset);
  },
  out: (d: string) => d,
  recv: (bytes) => {
    const view = fixed(bytes, 12);
    const micros = view.getBigInt64(0);
    const west = view.getInt32(8);
    if (micros < 0n || micros > MICROS_PER_DAY) throw new SqlError('22008', 'time out of range');
    if (west <= -57600 || west >= 57600) throw new SqlError('22009', 'time zone displacement out of range');
    return makeTimetz(micros, -west);
  },
  send: (d: string) =>
    packed(12, (v) => {
      const { micros, offset } = timetzParts(d);
      v.setBigInt64(0, micros);
      v.setInt32(8, -offset);
    }),
  typmod: (d: string, typmod) => {
    const { micros, offset } = timetzParts(d);
    return makeTimetz(roundMicros(micros, typmod), offset);
  },
});
registerCompare(OID.timetz, compareTimetz);

for (const [oid, out, zoned] of [
  [OID.timestamp, timestampOut, false],
  [OID.timestamptz, timestamptzOut, true],
] as const) {
  registerIo(oid, {
    in: (text, ctx) => timestampIn(text, zoned, ctx),
    out,
    recv: (bytes) => {
      const t = fixed(bytes, 8).getBigInt64(0);
      if (isFiniteTimestamp(t) && !timestampInRange(t)) throw timestampOutOfRange();
      return t;
    },
    send: (t: bigint) => packed(8, (v) => v.setBigInt64(0, t)),
    typmod: roundTimestamp,
  });
  registerCompare(oid, compareBigints);
}

/** A timestamp rounded to a precision; infinities stay. */
export function roundTimestamp(t: bigint, typmod: number): bigint {
  return isFiniteTimestamp(t) ? roundMicros(t, typmod) : t;
}

registerIo(OID.interval, {
  in: (text, ctx, t) => intervalIn(text, t.typmod, ctx),
  out: (d: Interval, ctx) => intervalOut(d, ctx.intervalStyle),
  recv: (bytes) => {
    const view = fixed(bytes, 16);
    return interval(view.getInt32(12), view.getInt32(8), view.getBigInt64(0));
  },
  send: (d: Interval) =>
    packed(16, (v) => {
      v.setBigInt64(0, d.micros);
      v.setInt32(8, d.days);
      v.setInt32(12, d.months);
    }),
  typmod: coerceInterval,
});
registerCompare(OID.interval, compareInterval);
