/**
 * The value of a `cast` node: a relabelling, an I/O conversion, a cast of array elements, and last the length coercion.
 *
 *   binary-coercible   the same value under another type: oid to regclass, varchar to text, int2vector to int2[]
 *   otherwise          text output of the source type, text input of the target type
 *
 * Traps: an oid relabelled as int4 changes its sign, not its bits; regclass to oid must not go by its text, which is a name.
 */
import { type Datum, isPgArray, type PgArray } from '../datum.ts';
import { type ColType, OID, REG_TYPES } from '../types.ts';
import { elementType, isArrayType } from './array_types.ts';
import { coerceTypmod, inputText, outputText } from './io/index.ts';
import type { EvalContext } from './ir.ts';

const OBJECT_IDS: ReadonlySet<number> = new Set([OID.oid, ...REG_TYPES]);

const STRINGS: ReadonlySet<number> = new Set([OID.text, OID.varchar, OID.bpchar]);
const BITS: ReadonlySet<number> = new Set([OID.bit, OID.varbit]);

/** How a value of one type is relabelled as another; null when the types are not binary-coercible. */
function relabelling(from: number, to: number): ((v: Datum) => Datum) | null {
  if (from === to || (STRINGS.has(from) && STRINGS.has(to)) || (BITS.has(from) && BITS.has(to))) return (v) => v;
  if (OBJECT_IDS.has(to) && (OBJECT_IDS.has(from) || from === OID.int4)) return (v) => (v as number) >>> 0;
  if (to === OID.int4 && OBJECT_IDS.has(from)) return (v) => (v as number) | 0;
  if (!isArrayType(from) || !isArrayType(to)) return null;
  const item = relabelling(elementType(from), elementType(to));
  return item && ((v) => withElements(v, elementType(to), item));
}

function withElements(v: Datum, elem: number, convert: (item: Datum) => Datum): PgArray {
  if (!isPgArray(v)) throw new Error('a cast of arrays wants an array');
  return { ...v, elem, items: v.items.map((item) => (item === null ? null : convert(item))) };
}

/** The value of a cast from one type to another; NULL stays NULL. Errors are those of the target type's input. */
export function castDatum(v: Datum, from: ColType, to: ColType, explicit: boolean, ctx: EvalContext): Datum {
  if (v === null) return null;
  const relabel = relabelling(from.oid, to.oid);
  const d = relabel ? relabel(v) : inputText(outputText(v, from.oid, ctx), { oid: to.oid, typmod: -1 }, ctx);
  return coerceTypmod(d, to, explicit);
}

/** A cast of an array element by element, by a cast function bound to its types. */
export function castElements(v: Datum, to: ColType, convert: (item: Datum) => Datum, explicit: boolean): Datum {
  return coerceTypmod(withElements(v, elementType(to.oid), convert), to, explicit);
}
