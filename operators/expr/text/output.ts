/** The two ways a value of any type becomes text: its output form, and the cast to text. */
import type { Datum } from '../../datum.ts';
import { OID } from '../../types.ts';
import { trimBpchar } from '../compare.ts';
import { outputText } from '../io/registry.ts';
import type { EvalContext } from '../ir.ts';
import { withLength } from '../network/address.ts';

/** value::text. Differs from the output form for boolean (true, not t), bpchar (no trailing blanks) and inet (always a length). */
export function castToText(d: Datum, oid: number, ctx: EvalContext): string {
  if (oid === OID.bool) return d ? 'true' : 'false';
  if (oid === OID.bpchar) return trimBpchar(d as string);
  if (oid === OID.inet) return withLength(d as string);
  return outputText(d, oid, ctx);
}
