/**
 * Text of float8 and float4 as PostgreSQL writes it.
 *
 *   extra_float_digits >= 1: shortest digits that read back as the same value; 1e+15 (float4: 1e+06) and above, and below
 *   1e-04, in exponent form with at least two exponent digits.      <= 0: %.*g with 15 (6) + extra_float_digits digits.
 *
 * Traps: JavaScript rounds ties away in toPrecision where C rounds to even; the shortest float4 text is not the shortest
 * text of the same value as float8.
 */

/** float8 or float4 to text. */
export function floatToText(x: number, single: boolean, extraFloatDigits: number): string {
  if (Number.isNaN(x)) return 'NaN';
  if (x === Number.POSITIVE_INFINITY) return 'Infinity';
  if (x === Number.NEGATIVE_INFINITY) return '-Infinity';
  if (x === 0) return Object.is(x, -0) ? '-0' : '0';
  const digits = single ? 6 : 15;
  if (extraFloatDigits <= 0) return formatSignificant(x, Math.max(digits + extraFloatDigits, 1));
  const shortest = single ? shortestSingle(Math.abs(x)) : Math.abs(x).toExponential();
  return (x < 0 ? '-' : '') + layout(shortest, digits);
}

/** C's %.{n}g of a finite number, ties to even. */
export function formatSignificant(x: number, n: number): string {
  if (x === 0) return Object.is(x, -0) ? '-0' : '0';
  const a = Math.abs(x);
  let e = a.toExponential(n - 1);
  const longer = a.toExponential(Math.min(n + 40, 100));
  const [mantissa] = longer.replace('.', '').split('e');
  if (/^50*$/.test(mantissa.slice(n))) {
    // Exactly between two: JavaScript went up, C goes to the even digit.
    const lower = mantissa.slice(0, n);
    if ((lower.charCodeAt(n - 1) - 48) % 2 === 0) {
      const exponent = longer.slice(longer.indexOf('e'));
      e = `${lower[0]}${n > 1 ? `.${lower.slice(1)}` : ''}${exponent}`;
    }
  }
  return (x < 0 ? '-' : '') + layout(stripZeros(e), n);
}

function stripZeros(e: string): string {
  const at = e.indexOf('e');
  let mantissa = e.slice(0, at);
  if (mantissa.includes('.')) mantissa = mantissa.replace(/\.?0+$/, '');
  return mantissa + e.slice(at);
}

/** d.ddde+x to plain digits while -4 <= exponent < limit, else exponent form. */
function layout(exponential: string, limit: number): string {
  const at = exponential.indexOf('e');
  const exponent = Number(exponential.slice(at + 1));
  const mantissa = exponential.slice(0, at);
  if (exponent < -4 || exponent >= limit) {
    const abs = Math.abs(exponent);
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${abs < 10 ? '0' : ''}${abs}`;
  }
  const digits = mantissa.replace('.', '');
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** Fewest digits that read back as the same float4, the nearest such. */
function shortestSingle(x: number): string {
  for (let n = 1; n < 9; n++) {
    const e = x.toExponential(n - 1);
    if (Math.fround(Number(e)) === x) return stripZeros(e);
  }
  return stripZeros(x.toExponential(8));
}

const HALF_BIT = 0x10000000;
const scratch = new DataView(new ArrayBuffer(8));

/** Decimal text to the nearest float4: rounding text -> float8 -> float4 would round ties twice. */
export function singleFromText(text: string): number {
  const d = Number(text);
  const f = Math.fround(d);
  if (f === d || !Number.isFinite(d)) return f;
  scratch.setFloat64(0, Math.abs(d));
  if ((scratch.getUint32(4) & 0x1fffffff) !== HALF_BIT) return f;
  // d lies exactly between two float4; the text may lie on either side of d.
  const side = compareTextWithNumber(text, d);
  if (side === 0) return f;
  return neighbour(d, side);
}

/** The float4 next to the midpoint d towards `side`. */
function neighbour(d: number, side: number): number {
  const up = side > 0 === d > 0;
  scratch.setFloat64(0, d);
  const low = scratch.getUint32(4);
  scratch.setUint32(4, up ? low + 1 : low - 1);
  return Math.fround(scratch.getFloat64(0));
}

/** Sign of text - d, exactly. */
function compareTextWithNumber(text: string, d: number): number {
  const exact = (t: string): { m: bigint; e: number } => {
    const [mantissa, exponent] = t.toLowerCase().split('e');
    const [whole, fraction = ''] = mantissa.split('.');
    return { m: BigInt(whole + fraction || '0'), e: Number(exponent ?? 0) - fraction.length };
  };
  const negative = text.startsWith('-');
  const a = exact(text.replace(/^[+-]/, ''));
  const b = exact(Math.abs(d).toExponential(100));
  const e = Math.min(a.e, b.e);
  const x = a.m * 10n ** BigInt(a.e - e);
  const y = b.m * 10n ** BigInt(b.e - e);
  const sign = x < y ? -1 : x > y ? 1 : 0;
  return negative ? -sign : sign;
}
