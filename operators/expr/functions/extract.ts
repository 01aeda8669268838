/** extract(field from x), exact, and date_part(field, x), its float8. */
import type { Datum, Decimal, Interval } from '../../datum.ts';
import { timestampOfDate } from '../datetime/arithmetic.ts';
import {
  asFloat,
  extractFromDate,
  extractFromInterval,
  extractFromTime,
  extractFromTimestamp,
  extractFromTimestamptz,
  extractFromTimetz,
  floatFromInterval,
} from '../datetime/extract.ts';
import { sessionZone } from '../datetime/settings.ts';
import { timetzParts } from '../datetime/timetz.ts';
import type { EvalContext } from '../ir.ts';
import { register } from './registry.ts';

type Extract = (unit: string, value: never, ctx: EvalContext) => Decimal | null;

const timetzField = (unit: string, d: string) => {
  const { micros, offset } = timetzParts(d);
  return extractFromTimetz(unit, micros, offset);
};

const SOURCES: Record<string, Extract> = {
  timestamp: (unit: string, t: bigint) => extractFromTimestamp(unit, t),
  timestamptz: (unit: string, t: bigint, ctx) => extractFromTimestamptz(unit, t, sessionZone(ctx)),
  time: (unit: string, t: bigint) => extractFromTime(unit, t),
  timetz: timetzField,
};

for (const [type, extract] of Object.entries(SOURCES)) {
  register(`extract(text,${type})`, extract as (...args: never[]) => Datum);
  register(`date_part(text,${type})`, (unit: string, value: never, ctx: EvalContext) =>
    asFloat(extract(unit, value, ctx)),
  );
}
register('extract(text,date)', (unit: string, d: number) => extractFromDate(unit, d));
register('date_part(text,date)', (unit: string, d: number) => asFloat(extractFromTimestamp(unit, timestampOfDate(d))));
register('extract(text,interval)', (unit: string, i: Interval) => extractFromInterval(unit, i));
register('date_part(text,interval)', (unit: string, i: Interval) => floatFromInterval(unit, i));
