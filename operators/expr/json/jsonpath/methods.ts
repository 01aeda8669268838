/** The methods of items that make one item of one: numbers, strings, truth values, datetimes. */
import type { Decimal } from '../../../datum.ts';
import { absolute, ceil, floor } from '../../decimal/arithmetic.ts';
import { decimalToInteger, decimalToText, numberToDecimal } from '../../decimal/text.ts';
import { applyNumericTypmod, makeNumericTypmod } from '../../decimal/typmod.ts';
import { parseBool } from '../../io/bool.ts';
import { parseFloat8 } from '../../io/float.ts';
import { parseInt4, parseInt8 } from '../../io/integer.ts';
import { parseNumeric } from '../../io/numeric.ts';
import type { EvalContext } from '../../ir.ts';
import { standardTemplate } from '../../to_char/standard_datetime.ts';
import { convertTo, datetimeText, type PathDatetime, readBy, readIso, withPrecision } from './datetime.ts';
import { type Item, isDatetime, isNumber, PathError, soft } from './item.ts';
import type { SimpleMethod, Step } from './syntax.ts';

type Applied = Exclude<SimpleMethod, 'type' | 'size' | 'keyvalue'>;

export function applyMethod(method: Applied, item: Item): Item {
  switch (method) {
    case 'abs':
      return absolute(numeric(method, item));
    case 'floor':
      return floor(numeric(method, item));
    case 'ceiling':
      return ceil(numeric(method, item));
    case 'double':
      return toDouble(item);
    case 'bigint':
      return toInteger(method, item, parseInt8);
    case 'integer':
      return toInteger(method, item, parseInt4);
    case 'number':
      return toNumeric(method, item);
    case 'boolean':
      return toBoolean(item);
    case 'string':
      return toText(item);
  }
}

const wrong = (method: string, wanted: string): PathError =>
  new PathError('22036', `jsonpath item method .${method}() can only be applied to a ${wanted} value`);

/** An argument that is no value of the type. */
const invalid = (text: string, method: string, type: string) => (): PathError =>
  new PathError('22036', `argument "${text}" of jsonpath item method .${method}() is invalid for type ${type}`);

function numeric(method: string, item: Item): Decimal {
  if (!isNumber(item)) throw wrong(method, 'numeric');
  return item;
}

function notFinite(method: string): PathError {
  return new PathError('22036', `NaN or Infinity is not allowed for jsonpath item method .${method}()`);
}

/** A number that a float can hold stays as exact as it is; a string becomes the float's number. */
function toDouble(item: Item): Item {
  if (!isNumber(item) && typeof item !== 'string') throw wrong('double', 'string or numeric');
  const text = typeof item === 'string' ? item : decimalToText(item);
  const x = soft(() => parseFloat8(text), invalid(text, 'double', 'double precision'));
  if (!Number.isFinite(x)) throw notFinite('double');
  return typeof item === 'string' ? numberToDecimal(x, 15) : item;
}

function toInteger(method: 'bigint' | 'integer', item: Item, parse: (text: string) => number | bigint): Decimal {
  if (isNumber(item)) {
    const m = soft(() => decimalToInteger(item, method), invalid(decimalToText(item), method, method));
    return { k: 'dec', m, s: 0 };
  }
  if (typeof item !== 'string') throw wrong(method, 'string or numeric');
  return { k: 'dec', m: BigInt(soft(() => parse(item), invalid(item, method, method))), s: 0 };
}

function toNumeric(method: string, item: Item): Decimal {
  if (isNumber(item)) return item;
  if (typeof item !== 'string') throw wrong(method, 'string or numeric');
  const d = soft(() => parseNumeric(item), invalid(item, method, 'numeric'));
  if (d.special) throw notFinite(method);
  return d;
}

function toBoolean(item: Item): boolean {
  if (typeof item === 'boolean') return item;
  if (isNumber(item)) {
    const text = decimalToText(item);
    return soft(() => parseInt4(text), invalid(text, 'boolean', 'boolean')) !== 0;
  }
  if (typeof item !== 'string') throw wrong('boolean', 'boolean, string, or numeric');
  return soft(() => parseBool(item), invalid(item, 'boolean', 'boolean'));
}

function toText(item: Item): string {
  if (typeof item === 'string') return item;
  if (typeof item === 'boolean') return String(item);
  if (isNumber(item)) return decimalToText(item);
  if (isDatetime(item)) return datetimeText(item);
  throw wrong('string', 'boolean, string, numeric, or datetime');
}

/** .decimal(precision, scale) */
export function decimalMethod(step: Extract<Step, { k: 'decimal' }>, item: Item): Decimal {
  const d = toNumeric('decimal', item);
  if (!step.precision) return d;
  const precision = integerOf(step.precision, 'precision', 'decimal');
  const scale = step.scale ? integerOf(step.scale, 'scale', 'decimal') : 0;
  if (precision < 1 || precision > 1000) {
    throw new PathError('22023', `NUMERIC precision ${precision} must be between 1 and 1000`);
  }
  if (scale < -1000 || scale > 1000) {
    throw new PathError('22023', `NUMERIC scale ${scale} must be between -1000 and 1000`);
  }
  const text = typeof item === 'string' ? item : decimalToText(d);
  return soft(() => applyNumericTypmod(d, makeNumericTypmod(precision, scale)), invalid(text, 'decimal', 'numeric'));
}

function integerOf(n: Decimal, what: string, method: string, code = '22036'): number {
  const outOfRange = () =>
    new PathError(code, `${what} of jsonpath item method .${method}() is out of range for type integer`);
  return Number(soft(() => decimalToInteger(n, 'integer'), outOfRange));
}

/** .datetime([template]), .date(), .time([precision]), ... */
export function datetimeMethod(
  step: Extract<Step, { k: 'datetime' }>,
  item: Item,
  zoned: boolean,
  ctx: EvalContext,
): PathDatetime {
  const { method, template } = step;
  if (typeof item !== 'string') {
    throw new PathError('22031', `jsonpath item method .${method}() can only be applied to a string`);
  }
  if (template !== null) {
    const nodes = standardTemplate(template);
    // Of an empty template PostgreSQL reads nothing.
    return soft(() => readBy(template === '' ? '' : item, nodes));
  }
  const unknown = (hint?: string) =>
    new PathError('22031', `${method} format is not recognized: "${item}"`, hint ? { hint } : {});
  const read = readIso(item);
  if (method === 'datetime') {
    if (!read) throw unknown('Use a datetime template argument to specify the input data format.');
    return read;
  }
  const precision = step.precision ? integerOf(step.precision, 'time precision', method, '22031') : 6;
  const converted = read && convertTo(method, read, zoned, ctx);
  if (!converted) throw unknown();
  return withPrecision(converted, precision);
}
