/**
 * Time-of-day input (time and timetz): as timestamp input, but the date may be missing and numbers are times first.
 * A date is accepted before a time, and needed only when a named zone must know whether daylight saving is on.
 */
import { MICROS_PER_DAY, timeOfFields, toJulian } from './calendar.ts';
import { fraction, leadingInt } from './numbers.ts';
import { timeOverflows } from './parse_clock.ts';
import { DateTimeParser, HAVE, type ParseSettings } from './parse_datetime.ts';
import { badFormat, FieldError, overflow } from './parse_error.ts';
import { findZone, localOffset, type Zone } from './time_zone.ts';
import { splitFields } from './tokens.ts';
import { dateWord } from './words.ts';
import { zoneAbbreviation } from './zone_abbreviations.ts';

const DATE = HAVE.year | HAVE.month | HAVE.day;

/** Parses time text; `offset` is seconds east of UTC. Throws FieldError. */
export function parseTime(text: string, settings: ParseSettings): { micros: bigint; offset: number } {
  const fields = splitFields(text, (w) => dateWord(w) !== undefined);
  if (!fields || fields.length === 0) throw badFormat();
  const last = fields.length - 1;
  const p = new DateTimeParser(settings);
  let prefix = '';

  for (let i = 0; i <= last; i++) {
    const f = fields[i];
    const mayBeDate = i === 0 && last >= 1 && fields[last].kind === 'date';
    switch (f.kind) {
      case 'date':
        if (mayBeDate || (i === 0 && last >= 1 && fields[1].kind === 'time')) p.mark(p.date(f.text));
        else p.mark(timeWithZone(f.text));
        break;
      case 'time':
        if (prefix !== '' && prefix !== 'time') throw badFormat();
        prefix = '';
        p.time(f.text);
        p.mark(HAVE.time);
        break;
      case 'zone':
        p.setOffset(f.text);
        p.mark(HAVE.zone);
        break;
      case 'number':
        p.mark(numberField(f.text, mayBeDate));
        break;
      default:
        p.mark(wordField(f.text));
    }
  }
  if (prefix !== '') throw badFormat();
  p.validateDate();
  p.applyMeridiem();
  if (timeOverflows(p)) throw overflow();
  if (!p.hasTime) throw badFormat();
  if (p.zone) p.offset = namedOffset(p, p.zone);
  else if (!(p.have & HAVE.zone)) p.offset = sessionOffset(p, settings);
  return { micros: timeOfFields(p), offset: p.offset };

  function timeWithZone(field: string): number {
    if (!/^\d/.test(field)) {
      p.zone = findZone(field) ?? null;
      if (!p.zone) throw new FieldError('zone', field);
      return HAVE.zone;
    }
    const minus = field.indexOf('-');
    if (p.hasTime || minus < 0) throw badFormat();
    p.setOffset(field.slice(minus));
    return p.runTogether(field.slice(0, minus), p.have | DATE) | HAVE.zone;
  }

  function numberField(field: string, mayBeDate: boolean): number {
    if (prefix !== '') {
      const label = prefix;
      prefix = '';
      const { value, end } = leadingInt(field);
      if (end !== field.length && field[end] !== '.') throw badFormat();
      if (label === 'julian') {
        if (value < 0) throw overflow();
        p.setJulian(value);
        p.julian = true;
        if (field[end] !== '.') return DATE;
        p.setTimeOfDay(Math.trunc(fraction(field.slice(end)) * Number(MICROS_PER_DAY)));
        return DATE | HAVE.time;
      }
      if (label !== 'time') throw badFormat();
      return p.runTogether(field, p.have | DATE);
    }
    const point = field.indexOf('.');
    if (point >= 0) {
      if (mayBeDate) return p.date(field);
      if (point <= 2) throw badFormat();
      return p.runTogether(field, p.have | DATE);
    }
    if (field.length > 4) return p.runTogether(field, p.have | DATE);
    return p.number(field, p.have | DATE);
  }

  function wordField(field: string): number {
    const abbreviation = zoneAbbreviation(field);
    if (abbreviation) {
      p.offset = abbreviation.offset;
      return HAVE.zone;
    }
    const word = dateWord(field);
    switch (word?.kind) {
      case undefined:
        p.zone = findZone(field) ?? null;
        if (!p.zone) throw badFormat();
        return HAVE.zone;
      case 'ignore':
        return 0;
      case 'special':
        if (word.value === 'now') {
          p.setNow();
          return HAVE.time | HAVE.zone;
        }
        if (word.value !== 'allballs') throw badFormat();
        p.offset = 0;
        return HAVE.time | HAVE.zone;
      case 'dst':
        p.offset += 3600;
        return HAVE.dstModifier;
      case 'meridiem':
        p.meridiem = word.value;
        return HAVE.meridiem;
      case 'era':
        p.bc = word.value === 'bc';
        return HAVE.era;
      case 'unit':
        if (prefix !== '') throw badFormat();
        prefix = word.value;
        return 0;
      case 'isotime':
        if (prefix !== '') throw badFormat();
        prefix = 'time';
        return 0;
      default:
        throw badFormat();
    }
  }
}

/** Offset of a named zone: of its only offset, or at the date that must then have been given. */
function namedOffset(p: DateTimeParser, zone: Zone): number {
  if (p.have & HAVE.dstModifier) throw badFormat();
  if (zone.fixed !== null) return zone.fixed;
  if (p.hasDate) return localOffset(zone, localSecondsOf(p, p.year, p.month, p.day));
  const { year } = p.settings.now().fields;
  const winter = localOffset(zone, localSecondsOf(p, year, 1, 1));
  if (winter !== localOffset(zone, localSecondsOf(p, year, 7, 1))) throw badFormat();
  return winter;
}

function sessionOffset(p: DateTimeParser, settings: ParseSettings): number {
  if (p.have & HAVE.dstModifier) throw badFormat();
  if (settings.zone.fixed !== null) return settings.zone.fixed;
  const { year, month, day } = p.hasDate ? p : settings.now().fields;
  return localOffset(settings.zone, localSecondsOf(p, year, month, day));
}

function localSecondsOf(p: DateTimeParser, year: number, month: number, day: number): number {
  return (toJulian(year, month, day) - 2440588) * 86400 + (p.hour * 60 + p.minute) * 60 + p.second;
}
