/**
 * Trigonometry in degrees that is exact where it should be: sind(30) = 0.5, cosd(60) = 0.5, tand(45) = 1, ...
 *
 * Each function is scaled by the value the library gives at the exact point: sin(x) / sin(30 deg) / 2 on [0, 30], and so on;
 * quadrants are reduced exactly first.
 */
const RADIANS_PER_DEGREE = 0.017453292519943295;
const rad = (degrees: number) => degrees * RADIANS_PER_DEGREE;

const SIN_30 = Math.sin(rad(30));
const ONE_MINUS_COS_60 = 1 - Math.cos(rad(60));
const ASIN_HALF = Math.asin(0.5);
const ACOS_HALF = Math.acos(0.5);
const ATAN_ONE = Math.atan(1);

const sin0to30 = (x: number) => Math.sin(rad(x)) / SIN_30 / 2;
const cos0to60 = (x: number) => 1 - (1 - Math.cos(rad(x))) / ONE_MINUS_COS_60 / 2;
const sinQuadrant = (x: number) => (x <= 30 ? sin0to30(x) : cos0to60(90 - x));
const cosQuadrant = (x: number) => (x <= 60 ? cos0to60(x) : sin0to30(90 - x));

const TAN_45 = sinQuadrant(45) / cosQuadrant(45);
const COT_45 = cosQuadrant(45) / sinQuadrant(45);

export function sind(x: number): number {
  x %= 360;
  let sign = 1;
  if (x < 0) {
    x = -x;
    sign = -sign;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) x = 180 - x;
  return sign * sinQuadrant(x);
}

export function cosd(x: number): number {
  x = Math.abs(x % 360);
  let sign = 1;
  if (x > 180) x = 360 - x;
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  return sign * cosQuadrant(x);
}

/** Reduces an angle to [0, 90] and the sign that tangent and cotangent take there. */
function tangentQuadrant(x: number): { x: number; sign: number } {
  x %= 360;
  let sign = 1;
  if (x < 0) {
    x = -x;
    sign = -sign;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  return { x, sign };
}

export function tand(angle: number): number {
  const { x, sign } = tangentQuadrant(angle);
  const result = sign * (sinQuadrant(x) / cosQuadrant(x) / TAN_45);
  return result === 0 ? 0 : result;
}

export function cotd(angle: number): number {
  const { x, sign } = tangentQuadrant(angle);
  const result = sign * (cosQuadrant(x) / sinQuadrant(x) / COT_45);
  return result === 0 ? 0 : result;
}

const asin0to1 = (x: number) => (x <= 0.5 ? (Math.asin(x) / ASIN_HALF) * 30 : 90 - (Math.acos(x) / ACOS_HALF) * 60);
const acos0to1 = (x: number) => (x <= 0.5 ? 90 - (Math.asin(x) / ASIN_HALF) * 30 : (Math.acos(x) / ACOS_HALF) * 60);

export function asind(x: number): number {
  return x >= 0 ? asin0to1(x) : -asin0to1(-x);
}

export function acosd(x: number): number {
  return x >= 0 ? acos0to1(x) : 90 + asin0to1(-x);
}

export function atand(x: number): number {
  return (Math.atan(x) / ATAN_ONE) * 45;
}

export function atan2d(y: number, x: number): number {
  return (Math.atan2(y, x) / ATAN_ONE) * 45;
}
