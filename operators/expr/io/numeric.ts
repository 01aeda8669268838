/** Text, binary and typmod of numeric. */
import type { Decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { decimalFromBinary, decimalToBinary } from '../decimal/binary.ts';
import { decimalToText, parseDecimal } from '../decimal/text.ts';
import { applyNumericTypmod } from '../decimal/typmod.ts';
import { registerIo } from './registry.ts';

/** Text to numeric; 22P02 when it is none. */
export function parseNumeric(text: string): Decimal {
  const d = parseDecimal(text);
  if (d === null) throw new SqlError('22P02', `invalid input syntax for type numeric: "${text}"`);
  return d;
}

registerIo(OID.numeric, {
  in: parseNumeric,
  out: (d: Decimal) => decimalToText(d),
  recv: decimalFromBinary,
  send: (d: Decimal) => decimalToBinary(d),
  typmod: (d: Decimal, typmod) => applyNumericTypmod(d, typmod),
});
