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
  const shortest = single ? shortestSingle(Math.abs(x)) : shortestDouble(Math.abs(x));
  return (x < 0 ? '-' : '') + layout(shortest, digits);
}

/** C's %.{n}g of a finite number, ties to even. */
export function formatSignificant(x: number, n: number): string {
  if (x === 0) return Object.is(x, -0) ? '-0' : '0';
  return (x < 0 ? '-' : '') + layout(stripZeros(exponentialToEven(Math.abs(x), n)), n);
}

/** toExponential with n digits, but ties to even: JavaScript rounds them up. */
function exponentialToEven(x: number, n: number): string {
  const longer = x.toExponential(Math.min(n + 40, 100));
  const [mantissa, exponent] = longer.replace('.', '').split('e');
  const lower = mantissa.slice(0, n);
  const tie = /^50*$/.test(mantissa.slice(n));
  if (!tie || lower.charCodeAt(n - 1) % 2 === 1) return x.toExponential(n - 1);
  return `${lower[0]}${n > 1 ? `.${lower.slice(1)}` : ''}e${exponent}`;
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

const float64 = new DataView(new ArrayBuffer(8));
const float32 = new DataView(new ArrayBuffer(4));

/** The float8 `steps` places after the positive x. */
function nextDouble(x: number, steps: 1 | -1): number {
  float64.setFloat64(0, x);
  float64.setBigInt64(0, float64.getBigInt64(0) + BigInt(steps));
  return float64.getFloat64(0);
}

function nextSingle(x: number, steps: 1 | -1): number {
  float32.setFloat32(0, x);
  float32.setInt32(0, float32.getInt32(0) + steps);
  return float32.getFloat32(0);
}

/**
 * Fewest digits strictly inside the interval that rounds to x. JavaScript also takes a decimal that lies exactly on the border of
 * the interval (it would round to the even neighbour, x); only integers from 2^53 to about 10^41 have such decimals.
 */
function shortestDouble(x: number): string {
  const e = x.toExponential();
  if (x <= 9007199254740992 || x > 1e41 || insideInterval(e, x)) return e;
  for (let n = e.indexOf('e') - 1; n < 17; n++) {
    const longer = x.toExponential(n);
    if (insideInterval(longer, x)) return stripZeros(longer);
  }
  return x.toExponential(16);
}

/** Is the decimal strictly between the midpoints to x's neighbours? For integers only, exactly. */
function insideInterval(exponential: string, x: number): boolean {
  const [mantissa, exponent] = exponential.split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  const zeros = Number(exponent) - fraction.length;
  const twice = zeros < 0 ? null : 2n * BigInt(whole + fraction) * 10n ** BigInt(zeros);
  if (twice === null) return true;
  const exact = BigInt(x);
  return twice > exact + BigInt(nextDouble(x, -1)) && twice < exact + BigInt(nextDouble(x, 1));
}

/** Fewest digits strictly inside the interval that rounds to the float4 x, the nearest such, ties to even. */
function shortestSingle(x: number): string {
  // Midpoints between float4 are exact in float8.
  const low = (x + nextSingle(x, -1)) / 2;
  // The largest float4 has no neighbour above; its interval is as wide as below.
  const next = nextSingle(x, 1);
  const high = Number.isFinite(next) ? (x + next) / 2 : 2 * x - low;
  for (let n = 1; n < 9; n++) {
    const nearest = exponentialToEven(x, n);
    const value = Number(nearest);
    if (value > low && value < high) return stripZeros(nearest);
    // Above a power of two the interval is wider than below it: the next decimal up may lie inside.
    const up = nextDecimal(nearest);
    const upValue = Number(up);
    if (value <= low && upValue < high && upValue > low) return stripZeros(up);
  }
  return stripZeros(exponentialToEven(x, 9));
}

/** d.ddde+x with the last digit one higher. */
function nextDecimal(exponential: string): string {
  const at = exponential.indexOf('e');
  const digits = exponential.slice(0, at).replace('.', '');
  const raised = (BigInt(digits) + 1n).toString();
  const exponent = Number(exponential.slice(at + 1)) + raised.length - digits.length;
  return `${raised[0]}${raised.length > 1 ? `.${raised.slice(1)}` : ''}e${exponent}`;
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
