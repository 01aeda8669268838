/**
 * Inline forms of integers, floats and numerics. Integers are doubles below 2^53; a numeric is a mantissa below 2^53 and a scale, which is a
 * literal where it is known when the kernel is made (constants, casts of integers) and read from the row otherwise.
 */
import { INTEGER_PAIRS } from './integer_pairs.ts';
import { remainder } from './remainders.ts';
import { bool, COMPARISONS, float, type Inline, int, numeric, OVER, SAFE, templates } from './templates.ts';
import type { Value } from './values.ts';

for (const [prefix, left, right, result] of INTEGER_PAIRS) {
  const name = (op: string) => `${prefix}${op}(${left},${right})`;
  templates.set(name('pl'), ([a, b]) => int(`${a.v} + ${b.v}`, OVER[result]));
  templates.set(name('mi'), ([a, b]) => int(`${a.v} - ${b.v}`, OVER[result]));
  // Adding zero keeps -0 out of integers.
  templates.set(name('mul'), ([a, b]) => int(`${a.v} * ${b.v} + 0`, OVER[result]));
  templates.set(name('div'), ([a, b]) =>
    int(
      `Math.trunc(${a.v} / ${b.v}) + 0`,
      `${b.v} === 0`,
      `${a.v} > 4503599627370496 || ${a.v} < -4503599627370496`,
      OVER[result],
    ),
  );
  for (const [op, sign] of COMPARISONS) templates.set(name(op), ([a, b]) => bool(`${a.v} ${sign} ${b.v}`));
}
for (const type of ['int2', 'int4', 'int8']) {
  for (const fn of ['mod', `${type}mod`])
    templates.set(`${fn}(${type},${type})`, ([a, b], _constants, site) =>
      int(`${site.use(remainder)}(${a.v}, ${b.v})`, `${b.v} === 0`),
    );
  templates.set(`${type}um(${type})`, ([a]) => int(`0 - ${a.v}`, OVER[type]));
  templates.set(`${type}abs(${type})`, ([a]) => int(`Math.abs(${a.v})`, OVER[type]));
  templates.set(`abs(${type})`, ([a]) => int(`Math.abs(${a.v})`, OVER[type]));
  for (const to of ['int2', 'int4', 'int8'])
    if (to !== type) templates.set(`${to}(${type})`, ([a]) => int(a.v, OVER[to]));
  templates.set(`float8(${type})`, ([a]) => float(a.v));
  templates.set(`numeric(${type})`, ([a]) => numeric(a.v, '0'));
}

for (const [op, sign] of COMPARISONS)
  templates.set(`enum_${op}(anyenum,anyenum)`, ([a, b]) => bool(`${a.v} ${sign} ${b.v}`));

for (const [op, sign] of COMPARISONS) {
  // NaN equals NaN and is the greatest: rows with one go to the interpreter.
  templates.set(`float8${op}(float8,float8)`, ([a, b]) =>
    bool(`${a.v} ${sign} ${b.v}`, `${a.v} !== ${a.v} || ${b.v} !== ${b.v}`),
  );
  templates.set(`numeric_${op}(numeric,numeric)`, ([a, b]) => compareNumeric(a, b, sign));
  templates.set(`bool${op}(bool,bool)`, ([a, b]) => bool(`${a.v} ${sign} ${b.v}`));
}
templates.set('float8pl(float8,float8)', ([a, b]) => float(`${a.v} + ${b.v}`, '!Number.isFinite($r)'));
templates.set('float8mi(float8,float8)', ([a, b]) => float(`${a.v} - ${b.v}`, '!Number.isFinite($r)'));
templates.set('float8mul(float8,float8)', ([a, b]) => float(`${a.v} * ${b.v}`, '!Number.isFinite($r) || $r === 0'));
templates.set('float8div(float8,float8)', ([a, b]) => float(`${a.v} / ${b.v}`, '!Number.isFinite($r) || $r === 0'));

const isLiteral = (scale: string | undefined): scale is string => scale !== undefined && /^\d+$/.test(scale);

/** Both mantissas at the greater scale, with the conditions under which they are not exact; null where only the interpreter can. */
function aligned(a: Value, b: Value): { x: string; y: string; scale: string; bails: string[] } | null {
  if (a.scale === undefined || b.scale === undefined) return null;
  if (!isLiteral(a.scale) || !isLiteral(b.scale)) {
    const up = (from: string, to: string) => `P10[Math.max(${to} - ${from}, 0)]`;
    const x = `${a.v} * ${up(a.scale, b.scale)}`;
    const y = `${b.v} * ${up(b.scale, a.scale)}`;
    const far = `Math.abs(${a.scale} - ${b.scale}) > 15`;
    return {
      x,
      y,
      scale: `Math.max(${a.scale}, ${b.scale})`,
      bails: [far, `!(Math.abs(${x}) <= ${SAFE})`, `!(Math.abs(${y}) <= ${SAFE})`],
    };
  }
  const [s, t] = [Number(a.scale), Number(b.scale)];
  if (Math.abs(s - t) > 15) return null;
  const x = s < t ? `${a.v} * 1e${t - s}` : a.v;
  const y = t < s ? `${b.v} * 1e${s - t}` : b.v;
  const bails = [x, y].filter((e) => e.includes('*')).map((e) => `${e} > ${SAFE} || ${e} < -${SAFE}`);
  return { x, y, scale: String(Math.max(s, t)), bails };
}

function compareNumeric(a: Value, b: Value, sign: string): Inline | null {
  const both = aligned(a, b);
  return both === null ? null : bool(`${both.x} ${sign} ${both.y}`, ...both.bails);
}

function addNumeric(a: Value, b: Value, sign: '+' | '-'): Inline | null {
  const both = aligned(a, b);
  return both === null ? null : numeric(`${both.x} ${sign} ${both.y}`, both.scale, ...both.bails, OVER.int8);
}

templates.set('numeric_add(numeric,numeric)', ([a, b]) => addNumeric(a, b, '+'));
templates.set('numeric_sub(numeric,numeric)', ([a, b]) => addNumeric(a, b, '-'));
templates.set('numeric_mul(numeric,numeric)', ([a, b]) => {
  if (a.scale === undefined || b.scale === undefined) return null;
  const known = isLiteral(a.scale) && isLiteral(b.scale);
  const scale = known ? String(Number(a.scale) + Number(b.scale)) : `(${a.scale} + ${b.scale})`;
  // Past this scale PostgreSQL rounds.
  const far = known ? [] : [`${scale} > 1000`];
  return Number(scale) > 1000 ? null : numeric(`${a.v} * ${b.v} + 0`, scale, ...far, OVER.int8);
});

/** Nearest integer of |mantissa| / 10^scale, halves away from zero, without leaving the integers. */
function roundHalfUp(mantissa: number, power: number): number {
  const size = Math.abs(mantissa);
  let quotient = Math.floor(size / power);
  let rest = size - quotient * power;
  if (rest < 0) {
    quotient--;
    rest += power;
  }
  if (rest * 2 >= power) quotient++;
  return mantissa < 0 ? 0 - quotient : quotient;
}

/** Scales whose power of ten is an exact double, with room to double a remainder. */
const MAX_ROUNDED_SCALE = 15;

for (const type of ['int2', 'int4', 'int8']) {
  templates.set(`${type}(numeric)`, ([a], _constants, site) => {
    if (a.scale === undefined) return null;
    const round = site.use(roundHalfUp);
    return int(`${round}(${a.v}, P10[${a.scale}]) + 0`, `${a.scale} > ${MAX_ROUNDED_SCALE}`, OVER[type]);
  });
}
templates.set('round(numeric,int4)', ([a], [, places], site) => {
  if (!isLiteral(a.scale) || typeof places !== 'number' || places < 0) return null;
  const drop = Number(a.scale) - places;
  if (drop > MAX_ROUNDED_SCALE || drop < -15) return null;
  if (drop <= 0) return numeric(`${a.v} * 1e${-drop}`, String(places), OVER.int8);
  return numeric(`${site.use(roundHalfUp)}(${a.v}, 1e${drop}) + 0`, String(places));
});
templates.set('float8(numeric)', ([a]) => {
  if (a.scale === undefined) return null;
  return float(`${a.v} / P10[${a.scale}]`, `${a.scale} > ${MAX_ROUNDED_SCALE}`);
});
