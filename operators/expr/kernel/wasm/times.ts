/** Dates and times: i64 microseconds or days. Only finite ones within 2^53 microseconds of 2000, as templates in JavaScript have them; others leave the row. */
import type { Arena } from '../../../batch/arena.ts';
import type { Interval } from '../../../datum.ts';
import { extractUnit, truncUnit } from '../../datetime/words.ts';
import { timeWriter } from '../../to_char/byte_writer.ts';
import { DAY, FIXED_UNITS, fixedMicros, TimeText, UNIX_EPOCH } from '../times.ts';
import type { Emitter } from './emitter.ts';
import { functions, type Made } from './functions.ts';
import { within } from './integers.ts';
import { F64, I32, I64, OP } from './module.ts';
import type { Value } from './values.ts';

const SAFE = 9007199254740991n;

/** The time in a local; leaves the row when it is beyond what is computed here. */
function plain(t: Value, code: Emitter): number {
  const local = code.local(I64);
  t.push();
  code.set(local);
  within(local, SAFE, code);
  return local;
}

/** Pushes the remainder of floor division. */
function floorRemainder(local: number, size: number, code: Emitter): void {
  const rest = code.local(I64);
  code.get(local);
  code.i64(BigInt(size));
  code.op(OP.i64_rem_s);
  code.tee(rest);
  code.i64(0n);
  code.op(OP.i64_lt_s);
  code.if(I64);
  code.get(rest);
  code.i64(BigInt(size));
  code.op(OP.i64_add);
  code.else();
  code.get(rest);
  code.end();
}

/** The fields of the clock: what is left of the time by `size`, in units of `unit`; the scale of the numeric. */
const CLOCK: Record<string, [size: number, unit: number, scale: number]> = {
  hour: [DAY, 3600000000, 0],
  minute: [3600000000, 60000000, 0],
  second: [60000000, 1, 6],
  millisecond: [60000000, 1, 3],
  microsecond: [60000000, 1, 0],
};

functions.set('extract(text,timestamp)', ([unit, t], code) => {
  const name = typeof unit.constant === 'string' ? extractUnit(unit.constant) : undefined;
  if (name === undefined) return null;
  if (name === 'epoch') {
    code.get(plain(t, code));
    code.i64(BigInt(UNIX_EPOCH));
    code.op(OP.i64_add);
    return { kind: 'numeric', scale: 6 };
  }
  if (!(name in CLOCK)) return null;
  const [size, by, scale] = CLOCK[name];
  floorRemainder(plain(t, code), size, code);
  if (by > 1) {
    code.i64(BigInt(by));
    code.op(OP.i64_div_s);
  }
  return { kind: 'numeric', scale };
});

functions.set('date_trunc(text,timestamp)', ([name, t], code) => {
  const unit = typeof name.constant === 'string' ? truncUnit(name.constant) : undefined;
  if (unit === undefined || !(unit in FIXED_UNITS)) return null;
  const local = plain(t, code);
  code.get(local);
  floorRemainder(local, FIXED_UNITS[unit], code);
  code.op(OP.i64_sub);
  return { kind: 'int' };
});

for (const type of ['timestamp', 'timestamptz'])
  functions.set(`date_bin(interval,${type},${type})`, ([stride, t, origin], code) => {
    const size = fixedMicros(stride.constant as Interval | undefined, true);
    if (size === null || size <= 0) return null;
    const local = plain(t, code);
    const distance = code.local(I64);
    code.get(local);
    code.get(plain(origin, code));
    code.op(OP.i64_sub);
    code.set(distance);
    code.get(local);
    floorRemainder(distance, size, code);
    code.op(OP.i64_sub);
    return { kind: 'int' };
  });

functions.set('date(timestamp)', ([t], code) => {
  const local = plain(t, code);
  code.get(local);
  floorRemainder(local, DAY, code);
  code.op(OP.i64_sub);
  code.i64(BigInt(DAY));
  code.op(OP.i64_div_s);
  return { kind: 'int' };
});

/** Days whose microseconds are within what is computed here; infinite dates are not. */
const MOST_DAYS = SAFE / BigInt(DAY);

functions.set('timestamp(date)', ([d], code) => {
  const days = code.local(I64);
  d.push();
  code.set(days);
  within(days, MOST_DAYS - 1n, code);
  code.get(days);
  code.i64(BigInt(DAY));
  code.op(OP.i64_mul);
  return { kind: 'int' };
});

for (const [type, days] of [
  ['timestamp', true],
  ['timestamptz', false],
] as const)
  for (const [op, instruction] of [
    ['pl', OP.i64_add],
    ['mi', OP.i64_sub],
  ] as const)
    functions.set(`${type}_${op}_interval(${type},interval)`, ([t, by], code) => {
      const micros = fixedMicros(by.constant as Interval | undefined, days);
      if (micros === null) return null;
      const result = code.local(I64);
      code.get(plain(t, code));
      code.i64(BigInt(micros));
      code.op(instruction);
      code.set(result);
      within(result, SAFE, code);
      code.get(result);
      return { kind: 'int' };
    });

/** to_char: the text of the last time is kept while that stays within the template's finest unit; else it is made in JavaScript. */
functions.set('to_char(timestamp,text)', ([t, template], code): Made | null => {
  const { constant } = template;
  const writer = typeof constant === 'string' && constant !== '' ? timeWriter(constant) : null;
  if (writer === null) return null;
  const text = new TimeText(writer, code.slot(), code.bytesFor(writer.bytes));
  code.begins.push((arena: Arena) => text.begin(arena));
  const write = code.imports.index((micros: number) => text.at(micros), [F64], [I32]);
  const [last, slot, unit] = [code.local(I64), code.local(I32), code.local(I64)];
  code.firsts.push({ local: last, push: (start) => start.i64(-(1n << 63n)) });
  const local = plain(t, code);
  code.get(local);
  floorRemainder(local, writer.unit, code);
  code.op(OP.i64_sub);
  code.tee(unit);
  code.get(last);
  code.op(OP.i64_ne);
  code.if();
  code.get(local);
  code.op(OP.f64_convert_i64_s);
  code.call(write);
  code.set(slot);
  code.get(unit);
  code.set(last);
  code.end();
  code.get(slot);
  return { kind: 'text' };
});
