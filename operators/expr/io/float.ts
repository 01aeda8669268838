/** Text and binary of float4 and float8. Input is C's strtod: decimal or hexadecimal, inf, infinity, nan in any case. */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { trimBlanks } from '../decimal/text.ts';
import { floatToText, singleFromText } from './float_text.ts';
import { registerIo } from './registry.ts';
import { fixed, packed } from './wire.ts';

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEXADECIMAL = /^([+-])?0[xX](?:([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?|\.([0-9a-fA-F]+))(?:[pP]([+-]?\d+))?$/;
const SPECIAL = /^([+-])?(nan|inf|infinity)$/i;

function parseFloatText(text: string, single: boolean): number {
  const type = single ? 'real' : 'double precision';
  const t = trimBlanks(text);
  const special = SPECIAL.exec(t);
  if (special) {
    if (special[2].toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  let value: number;
  if (DECIMAL.test(t)) value = single ? singleFromText(t) : Number(t);
  else {
    const hex = HEXADECIMAL.exec(t);
    if (!hex) throw new SqlError('22P02', `invalid input syntax for type ${type}: "${text}"`);
    value = hexadecimal(hex);
    if (single) value = Math.fround(value);
  }
  const vanished = value === 0 && /[1-9a-f]/i.test(t.replace(/^[+-]?0x/i, '').replace(/[ep].*$/i, ''));
  if (!Number.isFinite(value) || vanished) {
    throw new SqlError('22003', `"${t}" is out of range for type ${type}`);
  }
  return value;
}

function hexadecimal(f: RegExpExecArray): number {
  const fraction = f[3] ?? f[4] ?? '';
  const mantissa = BigInt(`0x0${f[2] ?? ''}${fraction}`);
  const value = Number(mantissa) * 2 ** (Number(f[5] ?? 0) - 4 * fraction.length);
  return f[1] === '-' ? -value : value;
}

/** Text to float8; 22P02 when it is none, 22003 when out of range (also when it vanishes to zero). */
export function parseFloat8(text: string): number {
  return parseFloatText(text, false);
}

/** Text to float4, rounded once. */
function parseFloat4(text: string): number {
  return parseFloatText(text, true);
}

registerIo(OID.float8, {
  in: parseFloat8,
  out: (d: number, ctx) => floatToText(d, false, ctx.extraFloatDigits),
  recv: (bytes) => fixed(bytes, 8).getFloat64(0),
  send: (d: number) => packed(8, (v) => v.setFloat64(0, d)),
});

registerIo(OID.float4, {
  in: parseFloat4,
  out: (d: number, ctx) => floatToText(d, true, ctx.extraFloatDigits),
  recv: (bytes) => fixed(bytes, 4).getFloat32(0),
  send: (d: number) => packed(4, (v) => v.setFloat32(0, d)),
});
