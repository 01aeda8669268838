/** to_char of timestamps, intervals and numbers; to_timestamp, to_date and to_number by a template. */
import type { Decimal, Interval } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import {
  END_DATE,
  isFiniteTimestamp,
  MICROS_PER_SECOND,
  MIN_DATE,
  POSTGRES_EPOCH_JULIAN,
  timestampFields,
  timestampInRange,
  timestampOfFields,
  timestampOutOfRange,
  toJulian,
  weekday,
} from '../datetime/calendar.ts';
import { intervalParts } from '../datetime/interval_output.ts';
import { isFiniteInterval, roundMicros } from '../datetime/interval_value.ts';
import { offsetText } from '../datetime/output.ts';
import { sessionZone } from '../datetime/settings.ts';
import { toInstant, unixSecondsOf } from '../datetime/time_zone.ts';
import type { EvalContext } from '../ir.ts';
import { assembleDateTime } from '../to_char/assemble.ts';
import { readDateTime } from '../to_char/datetime_from_text.ts';
import { formatDateTime } from '../to_char/datetime_to_text.ts';
import { readNumber } from '../to_char/number_from_text.ts';
import { formatFloat, formatInteger, formatNumeric } from '../to_char/number_to_text.ts';
import { register } from './registry.ts';

function formatLocal(t: bigint, template: string, offset: number, zone: string): string {
  const f = timestampFields(t);
  const julian = toJulian(f.year, f.month, f.day);
  const dayOfYear = julian - toJulian(f.year, 1, 1) + 1;
  return formatDateTime({ ...f, weekday: weekday(julian), dayOfYear, isInterval: false, offset, zone }, template);
}

register('to_char(timestamp,text)', (t: bigint, template: string) =>
  template === '' || !isFiniteTimestamp(t) ? null : formatLocal(t, template, 0, ''),
);
register('to_char(timestamptz,text)', (t: bigint, template: string, ctx: EvalContext) => {
  if (template === '' || !isFiniteTimestamp(t)) return null;
  const zone = sessionZone(ctx);
  const seconds = unixSecondsOf(t);
  const offset = zone.offsetAt(seconds);
  const name = zone.abbreviationAt(seconds) || offsetText(offset);
  return formatLocal(t + BigInt(offset) * MICROS_PER_SECOND, template, offset, name);
});
register('to_char(interval,text)', (i: Interval, template: string) => {
  if (template === '' || !isFiniteInterval(i)) return null;
  const p = intervalParts(i);
  return formatDateTime(
    {
      year: p.years,
      month: p.months,
      day: p.days,
      hour: p.hours,
      minute: p.minutes,
      second: p.seconds,
      micros: p.micros,
      weekday: 0,
      dayOfYear: i.months * 30 + p.days,
      isInterval: true,
      offset: 0,
      zone: '',
    },
    template,
  );
});

register('to_char(int4,text)', (n: number, template: string) => formatInteger(BigInt(n), template, 32));
register('to_char(int8,text)', (n: bigint, template: string) => formatInteger(n, template, 64));
register('to_char(numeric,text)', (d: Decimal, template: string) => formatNumeric(d, template));
register('to_char(float8,text)', (x: number, template: string) => formatFloat(x, template, 15));
register('to_char(float4,text)', (x: number, template: string) => formatFloat(x, template, 6));

register('to_timestamp(text,text)', (text: string, template: string, ctx: EvalContext) => {
  const read = readDateTime(text, template);
  const { offset, ...fields } = assembleDateTime(read, text);
  const local = timestampOfFields(fields);
  const t = offset === null ? toInstant(sessionZone(ctx), local) : local - BigInt(offset) * MICROS_PER_SECOND;
  if (!timestampInRange(t)) throw timestampOutOfRange();
  return roundMicros(t, read.precision);
});
register('to_date(text,text)', (text: string, template: string) => {
  const { year, month, day } = assembleDateTime(readDateTime(text, template), text);
  const d = toJulian(year, month, day) - POSTGRES_EPOCH_JULIAN;
  if (d < MIN_DATE || d >= END_DATE) throw new SqlError('22008', `date out of range: "${text}"`);
  return d;
});

register('to_number(text,text)', readNumber);
