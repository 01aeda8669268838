/**
 * C's %.*f and %.*e of a double, exact: a double is m * 2^e, so its decimal digits are an integer computation. Halves go to
 * the even digit (JavaScript's toFixed takes the larger, and gives up past 1e21).
 */

/** |x| as numerator / 2^shift. */
function exact(x: number): { numerator: bigint; shift: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(x));
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = exponent === 0 ? fraction : fraction | 0x10000000000000n;
  const power = (exponent === 0 ? 1 : exponent) - 1075;
  return power >= 0
    ? { numerator: mantissa << BigInt(power), shift: 0n }
    : { numerator: mantissa, shift: BigInt(-power) };
}

function roundedQuotient(numerator: bigint, denominator: bigint): bigint {
  const q = numerator / denominator;
  const twice = (numerator - q * denominator) * 2n;
  return twice > denominator || (twice === denominator && (q & 1n) === 1n) ? q + 1n : q;
}

const isNegative = (x: number) => x < 0 || Object.is(x, -0);

/** `%.{digits}f` of a finite number. */
export function formatFixed(x: number, digits: number): string {
  const { numerator, shift } = exact(x);
  const scaled = roundedQuotient(numerator * 10n ** BigInt(digits), 1n << shift)
    .toString()
    .padStart(digits + 1, '0');
  const whole = scaled.slice(0, scaled.length - digits);
  return `${isNegative(x) ? '-' : ''}${whole}${digits > 0 ? `.${scaled.slice(-digits)}` : ''}`;
}

/** `%.{digits}e` of a finite number. */
export function formatExponent(x: number, digits: number): string {
  const { numerator, shift } = exact(x);
  let exponent = x === 0 ? 0 : Math.floor(Math.log10(Math.abs(x)));
  let scaled = '';
  for (;;) {
    const power = BigInt(digits - exponent);
    const up = power >= 0n ? 10n ** power : 1n;
    const down = power < 0n ? 10n ** -power : 1n;
    scaled = roundedQuotient(numerator * up, down << shift).toString();
    if (x === 0 || scaled.length === digits + 1) break;
    // The logarithm was off by one, or rounding carried into a new digit.
    exponent += scaled.length > digits + 1 ? 1 : -1;
  }
  scaled = scaled.padStart(digits + 1, '0');
  const fraction = digits > 0 ? `.${scaled.slice(1)}` : '';
  const sign = exponent < 0 ? '-' : '+';
  return `${isNegative(x) ? '-' : ''}${scaled[0]}${fraction}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
