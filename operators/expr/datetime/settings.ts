/** What an EvalContext says about dates: the order and style of DateStyle, the session's zone, now. */
import type { EvalContext } from '../ir.ts';
import { timestampFields } from './calendar.ts';
import type { DateOrder, ParseSettings } from './parse_datetime.ts';
import { requireZone, toLocal, type Zone, zoneOffsetAt } from './time_zone.ts';

export type DateStyle = 'ISO' | 'SQL' | 'Postgres' | 'German';

const styles = new Map<string, { style: DateStyle; order: DateOrder }>();

/** Style and order of a DateStyle setting such as `ISO, MDY`. */
export function dateStyleOf(setting: string): { style: DateStyle; order: DateOrder } {
  let parsed = styles.get(setting);
  if (!parsed) {
    parsed = { style: 'ISO', order: 'MDY' };
    for (const part of setting.toLowerCase().split(',')) {
      const word = part.trim();
      if (word === 'iso') parsed.style = 'ISO';
      else if (word === 'sql') parsed.style = 'SQL';
      else if (word.startsWith('postgres')) parsed.style = 'Postgres';
      else if (word === 'german') parsed.style = 'German';
      else if (word === 'ymd') parsed.order = 'YMD';
      else if (word === 'dmy' || word.startsWith('euro')) parsed.order = 'DMY';
    }
    styles.set(setting, parsed);
  }
  return parsed;
}

/** The session's time zone; an unknown one is error 22023. */
export function sessionZone(ctx: EvalContext): Zone {
  return requireZone(ctx.timeZone);
}

/** Settings of date and time input. */
export function parseSettings(ctx: EvalContext): ParseSettings {
  const zone = sessionZone(ctx);
  return {
    order: dateStyleOf(ctx.dateStyle).order,
    zone,
    now: () => ({ fields: timestampFields(toLocal(zone, ctx.now)), offset: zoneOffsetAt(zone, ctx.now) }),
  };
}

/** now() in the session's zone, as a local timestamp. */
export function localNow(ctx: EvalContext): bigint {
  return toLocal(sessionZone(ctx), ctx.now);
}
