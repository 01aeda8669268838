/**
 * Functions that kernels compute inline, by pg_proc signature: what the interpreter's function gives, or bail.
 *
 * Each takes its arguments as values (not NULL) and gives an expression and conditions under which the row is given up.
 */
import { SAFE, type Value } from './kernel_values.ts';

export interface Inline {
  value: Omit<Value, 'isNull'>;
  /** Conditions, over the expression named $r for the result, that give the row up. */
  bails?: string[];
}

export type Template = (args: Value[], constants: (unknown | undefined)[]) => Inline | null;

const templates = new Map<string, Template>();

/** The inline form of a function, or undefined. */
export function inlineTemplate(fn: string): Template | undefined {
  return templates.get(fn);
}

const int = (v: string, ...bails: string[]): Inline => ({ value: { kind: 'int', v }, bails });
const float = (v: string, ...bails: string[]): Inline => ({ value: { kind: 'float', v }, bails });
const bool = (v: string, ...bails: string[]): Inline => ({ value: { kind: 'bool', v: `(${v} ? 1 : 0)` }, bails });

const OVER: Record<string, string> = {
  int2: '$r > 32767 || $r < -32768',
  int4: '$r > 2147483647 || $r < -2147483648',
  int8: `$r > ${SAFE} || $r < -${SAFE}`,
};

const COMPARISONS: [string, string][] = [
  ['eq', '==='],
  ['ne', '!=='],
  ['lt', '<'],
  ['le', '<='],
  ['gt', '>'],
  ['ge', '>='],
];

/** Pairs of integer types: the operators' prefix and the result type. */
const INTEGER_PAIRS: [string, string, string, string][] = [
  ['int2', 'int2', 'int2', 'int2'],
  ['int4', 'int4', 'int4', 'int4'],
  ['int8', 'int8', 'int8', 'int8'],
  ['int24', 'int2', 'int4', 'int4'],
  ['int42', 'int4', 'int2', 'int4'],
  ['int28', 'int2', 'int8', 'int8'],
  ['int82', 'int8', 'int2', 'int8'],
  ['int48', 'int4', 'int8', 'int8'],
  ['int84', 'int8', 'int4', 'int8'],
];

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
    templates.set(`${fn}(${type},${type})`, ([a, b]) => int(`${a.v} % ${b.v} + 0`, `${b.v} === 0`));
  templates.set(`${type}um(${type})`, ([a]) => int(`0 - ${a.v}`, OVER[type]));
  templates.set(`${type}abs(${type})`, ([a]) => int(`Math.abs(${a.v})`, OVER[type]));
  templates.set(`abs(${type})`, ([a]) => int(`Math.abs(${a.v})`, OVER[type]));
  for (const to of ['int2', 'int4', 'int8'])
    if (to !== type) templates.set(`${to}(${type})`, ([a]) => int(a.v, OVER[to]));
  templates.set(`float8(${type})`, ([a]) => float(a.v));
  templates.set(`numeric(${type})`, ([a]) => ({ value: { kind: 'numeric', v: a.v, scale: '0' } }));
}

for (const type of ['date', 'time', 'timestamp', 'timestamptz']) {
  for (const [op, sign] of COMPARISONS)
    templates.set(`${type}_${op}(${type},${type})`, ([a, b]) => bool(`${a.v} ${sign} ${b.v}`));
}

for (const [op, sign] of COMPARISONS) {
  // NaN equals NaN and is the greatest: rows with one go to the interpreter.
  templates.set(`float8${op}(float8,float8)`, ([a, b]) =>
    bool(`${a.v} ${sign} ${b.v}`, `${a.v} !== ${a.v} || ${b.v} !== ${b.v}`),
  );
  templates.set(`numeric_${op}(numeric,numeric)`, ([a, b]) => compareNumeric(a, b, sign));
}
templates.set('float8pl(float8,float8)', ([a, b]) => float(`${a.v} + ${b.v}`, '!Number.isFinite($r)'));
templates.set('float8mi(float8,float8)', ([a, b]) => float(`${a.v} - ${b.v}`, '!Number.isFinite($r)'));
templates.set('float8mul(float8,float8)', ([a, b]) => float(`${a.v} * ${b.v}`, '!Number.isFinite($r) || $r === 0'));
templates.set('float8div(float8,float8)', ([a, b]) => float(`${a.v} / ${b.v}`, '!Number.isFinite($r) || $r === 0'));

/** Static scales only: the factor is then a literal. */
function staticScales(a: Value, b: Value): [number, number] | null {
  if (!/^\d+$/.test(a.scale ?? '') || !/^\d+$/.test(b.scale ?? '')) return null;
  const scales: [number, number] = [Number(a.scale), Number(b.scale)];
  return Math.abs(scales[0] - scales[1]) > 15 ? null : scales;
}

/** Both mantissas at the greater scale, with the conditions under which they are not exact. */
function aligned(a: Value, b: Value): { x: string; y: string; scale: number; bails: string[] } | null {
  const scales = staticScales(a, b);
  if (scales === null) return null;
  const [s, t] = scales;
  const x = s < t ? `${a.v} * 1e${t - s}` : a.v;
  const y = t < s ? `${b.v} * 1e${s - t}` : b.v;
  const bails = [x, y].filter((e) => e.includes('*')).map((e) => `${e} > ${SAFE} || ${e} < -${SAFE}`);
  return { x, y, scale: Math.max(s, t), bails };
}

function compareNumeric(a: Value, b: Value, sign: string): Inline | null {
  const both = aligned(a, b);
  return both === null ? null : bool(`${both.x} ${sign} ${both.y}`, ...both.bails);
}

function addNumeric(a: Value, b: Value, sign: '+' | '-'): Inline | null {
  const both = aligned(a, b);
  if (both === null) return null;
  return {
    value: { kind: 'numeric', v: `${both.x} ${sign} ${both.y}`, scale: String(both.scale) },
    bails: [...both.bails, OVER.int8],
  };
}

templates.set('numeric_add(numeric,numeric)', ([a, b]) => addNumeric(a, b, '+'));
templates.set('numeric_sub(numeric,numeric)', ([a, b]) => addNumeric(a, b, '-'));
templates.set('numeric_mul(numeric,numeric)', ([a, b]) => {
  const scales = staticScales(a, b);
  if (scales === null) return null;
  return {
    value: { kind: 'numeric', v: `${a.v} * ${b.v} + 0`, scale: String(scales[0] + scales[1]) },
    bails: [OVER.int8],
  };
});

/** Infinite times lie beyond 2^53 and have bailed already. */
const DAY = 86400000000;
interface ConstantInterval {
  months: number;
  days: number;
  micros: bigint;
}

function shiftTime(sign: '+' | '-'): Template {
  return ([a], [, interval]) => {
    const by = interval as ConstantInterval | undefined;
    if (by === undefined || by === null || by.months !== 0) return null;
    return int(`${a.v} ${sign} ${by.days * DAY + Number(by.micros)}`, OVER.int8);
  };
}
templates.set('timestamp_pl_interval(timestamp,interval)', shiftTime('+'));
templates.set('timestamp_mi_interval(timestamp,interval)', shiftTime('-'));

/** Fields of a timestamp that are whole numbers; microseconds since 2000-01-01, floor division for times before. */
const FIELDS: Record<string, (t: string) => string> = {
  hour: (t) => `Math.floor(((${t} % ${DAY}) + ${DAY}) % ${DAY} / 3600000000)`,
  minute: (t) => `Math.floor(((${t} % 3600000000) + 3600000000) % 3600000000 / 60000000)`,
};
templates.set('extract(text,timestamp)', ([, t], [field]) => {
  const make = FIELDS[String(field)];
  return make === undefined ? null : { value: { kind: 'numeric', v: make(t.v), scale: '0' } };
});

for (const [op, code] of [
  ['eq', 'equalVarlen(%)'],
  ['ne', '!equalVarlen(%)'],
] as const) {
  const template: Template = ([a, b]) =>
    a.kind === 'slot' && b.kind === 'slot' ? bool(code.replace('%', `${a.v}, ${b.v}`)) : null;
  templates.set(`text${op}(text,text)`, template);
}
for (const [op, sign] of COMPARISONS.slice(2)) {
  templates.set(`text_${op}(text,text)`, ([a, b]) =>
    a.kind === 'slot' && b.kind === 'slot' ? bool(`compareVarlen(${a.v}, ${b.v}) ${sign} 0`) : null,
  );
}
