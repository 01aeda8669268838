/** Dates and times: the cases that are easy to get wrong, with PostgreSQL's answers written down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum, Interval } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType, OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import { requireFunction } from '../functions/index.ts';
import { inputText, outputText } from '../io/index.ts';
import { addToTimestamptz } from './arithmetic.ts';
import { fromJulian, toJulian } from './calendar.ts';
import { requireZone } from './time_zone.ts';

const utc = defaultContext();
const ctxIn = (timeZone: string) => defaultContext({ timeZone });
const read = (oid: number, text: string, ctx = utc) => inputText(text, colType(oid), ctx);
const again = (oid: number, text: string, ctx = utc) => outputText(read(oid, text, ctx), oid, ctx);

function fails(run: () => unknown, sqlstate: string, message: string): void {
  assert.throws(run, (e) => e instanceof SqlError && e.sqlstate === sqlstate && e.message === message);
}

test('the calendar goes there and back', () => {
  for (let julian = 0; julian < 3_000_000; julian += 997) {
    const { year, month, day } = fromJulian(julian);
    assert.equal(toJulian(year, month, day), julian);
  }
  assert.deepEqual(fromJulian(0), { year: -4713, month: 11, day: 24 });
});

test('timestamps read and write', () => {
  const cases: [string, string][] = [
    ['2001-02-03 04:05:06.789', '2001-02-03 04:05:06.789'],
    ['Feb 3 2001 4:05 PM', '2001-02-03 16:05:00'],
    ['20010203T040506', '2001-02-03 04:05:06'],
    ['0044-03-15 BC', '0044-03-15 00:00:00 BC'],
    ['infinity', 'infinity'],
    ['2001-02-03 24:00', '2001-02-04 00:00:00'],
    ['294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999'],
  ];
  for (const [text, expected] of cases) assert.equal(again(OID.timestamp, text), expected);
  fails(() => read(OID.timestamp, '2001-02-30'), '22008', 'date/time field value out of range: "2001-02-30"');
  fails(() => read(OID.timestamp, 'soon'), '22007', 'invalid input syntax for type timestamp: "soon"');
  fails(() => read(OID.timestamp, '294277-01-01'), '22008', 'timestamp out of range: "294277-01-01"');
});

test('clocks that go forward and back', () => {
  const newYork = ctxIn('America/New_York');
  // 02:30 does not exist on 2024-03-10; 01:30 comes twice on 2024-11-03 and means the second one.
  assert.equal(again(OID.timestamptz, '2024-03-10 02:30', newYork), '2024-03-10 03:30:00-04');
  assert.equal(again(OID.timestamptz, '2024-11-03 01:30', newYork), '2024-11-03 01:30:00-05');
  const day = { k: 'interval', months: 0, days: 1, micros: 0n } as Interval;
  const hours = { k: 'interval', months: 0, days: 0, micros: 86_400_000_000n } as Interval;
  const zone = requireZone('America/New_York');
  const before = read(OID.timestamptz, '2024-03-09 12:00', newYork) as bigint;
  assert.equal(outputText(addToTimestamptz(before, day, zone), OID.timestamptz, newYork), '2024-03-10 12:00:00-04');
  assert.equal(outputText(addToTimestamptz(before, hours, zone), OID.timestamptz, newYork), '2024-03-10 13:00:00-04');
  assert.equal(again(OID.timestamptz, '1850-01-01', newYork), '1850-01-01 00:00:00-04:56:02');
  assert.equal(again(OID.timestamptz, '12345-07-01', newYork), '12345-07-01 00:00:00-04');
});

test('intervals read, write and compare', () => {
  const cases: [string, string][] = [
    ['1-2 3 4:05:06', '1 year 2 mons 3 days 04:05:06'],
    ['P1Y2M3DT4H5M6.5S', '1 year 2 mons 3 days 04:05:06.5'],
    ['1 day ago', '-1 days'],
    ['-1 mon 2 days -3 hours', '-1 mons +2 days -03:00:00'],
    ['1.5 mons', '1 mon 15 days'],
    ['-infinity', '-infinity'],
  ];
  for (const [text, expected] of cases) assert.equal(again(OID.interval, text), expected);
  const equal = requireFunction('interval_eq(interval,interval)');
  assert.equal(equal(read(OID.interval, '1 mon'), read(OID.interval, '30 days'), utc), true);
});

test('fields and truncation', () => {
  const t = read(OID.timestamp, '2021-01-03 12:34:56.789');
  const call = (fn: string, ...args: Datum[]) => requireFunction(fn)(...args, utc);
  const extract = (unit: string) => outputText(call('extract(text,timestamp)', unit, t), OID.numeric, utc);
  assert.equal(extract('isoyear'), '2020');
  assert.equal(extract('week'), '53');
  assert.equal(extract('second'), '56.789000');
  assert.equal(extract('epoch'), '1609677296.789000');
  const trunc = (unit: string) => outputText(call('date_trunc(text,timestamp)', unit, t), OID.timestamp, utc);
  assert.equal(trunc('week'), '2020-12-28 00:00:00');
  assert.equal(trunc('century'), '2001-01-01 00:00:00');
  fails(() => trunc('era'), '22023', 'unit "era" not recognized for type timestamp without time zone');
});

test('zones without letters are called by their digits', () => {
  const cases: [zone: string, name: string][] = [
    ['Asia/Kathmandu', '+0545'],
    ['America/Caracas', '-04'],
    ['Asia/Tehran', '+0330'],
    ['America/New_York', 'EST'],
    ['<-05:30>+05:30', '-05:30'],
  ];
  for (const [timeZone, name] of cases) {
    const context = defaultContext({ timeZone, dateStyle: 'German, DMY' });
    const at = read(OID.timestamptz, '2026-01-01 12:00:00', context);
    assert.equal(outputText(at, OID.timestamptz, context), `01.01.2026 12:00:00 ${name}`);
    assert.equal(requireFunction('to_char(timestamptz,text)')(at, 'TZ', context), name);
  }
});
