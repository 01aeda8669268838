/**
 * The current time. now() and its kin are the time of the statement or tick (ctx.now), so they are stable within it;
 * clock_timestamp() and timeofday() read the clock and are volatile.
 */
import { EPOCH_DIFF_MICROS, timestampFields, toJulian, weekday } from '../datetime/calendar.ts';
import { DAY_NAMES, MONTH_NAMES, offsetText, two } from '../datetime/output.ts';
import { sessionZone } from '../datetime/settings.ts';
import { toLocal, unixSecondsOf } from '../datetime/time_zone.ts';
import type { EvalContext } from '../ir.ts';
import { register } from './registry.ts';

for (const name of ['now', 'transaction_timestamp', 'statement_timestamp']) {
  register(`${name}()`, (ctx: EvalContext) => ctx.now);
}

function clock(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) - EPOCH_DIFF_MICROS;
}

register('clock_timestamp()', clock);
register('timeofday()', (ctx: EvalContext) => {
  const t = clock();
  const zone = sessionZone(ctx);
  const f = timestampFields(toLocal(zone, t));
  const seconds = unixSecondsOf(t);
  const name = zone.abbreviationAt(seconds) || offsetText(zone.offsetAt(seconds));
  const day = DAY_NAMES[weekday(toJulian(f.year, f.month, f.day))];
  const time = `${two(f.hour)}:${two(f.minute)}:${two(f.second)}.${String(f.micros).padStart(6, '0')}`;
  return `${day} ${MONTH_NAMES[f.month - 1]} ${two(f.day)} ${time} ${f.year} ${name}`;
});
