/**
 * The comparison functions behind =, <>, <, <=, >, >= and the btree support functions, for all base types and the mixed
 * pairs PostgreSQL has (int24eq, float48lt, nameeqtext, ...).
 */
import { compareBpchar, compareBytes, compareFloats, compareNumbers, compareRecords } from '../compare.ts';
import { compareDecimal } from '../decimal/compare.ts';
import { compareText } from '../text/code_points.ts';
import { register } from './registry.ts';

export type Order = (a: never, b: never) => number;

const TESTS = {
  eq: (c: number) => c === 0,
  ne: (c: number) => c !== 0,
  lt: (c: number) => c < 0,
  le: (c: number) => c <= 0,
  gt: (c: number) => c > 0,
  ge: (c: number) => c >= 0,
};

/** Registers `{prefix}{eq|ne|...}{suffix}(left,right)` over one order. */
export function comparisons(prefix: string, left: string, right: string, order: Order, suffix = ''): void {
  const cmp = order as unknown as (a: unknown, b: unknown) => number;
  for (const [name, holds] of Object.entries(TESTS)) {
    register(`${prefix}${name}${suffix}(${left},${right})`, (a: never, b: never) => holds(cmp(a, b)));
  }
}

/** Registers a btree support function: -1, 0 or 1. */
export function support(fn: string, order: Order): void {
  const cmp = order as unknown as (a: unknown, b: unknown) => number;
  register(fn, (a: never, b: never) => Math.sign(cmp(a, b)));
}

/** Registers `larger` and `smaller`, the transition functions of max and min. */
export function larger(greatest: string, least: string, type: string, order: Order): void {
  const cmp = order as unknown as (a: unknown, b: unknown) => number;
  register(`${greatest}(${type},${type})`, (a: never, b: never) => (cmp(a, b) > 0 ? a : b));
  register(`${least}(${type},${type})`, (a: never, b: never) => (cmp(a, b) < 0 ? a : b));
}

for (const a of ['2', '4', '8']) {
  for (const b of ['2', '4', '8']) {
    const pair = a === b ? a : a + b;
    comparisons(`int${pair}`, `int${a}`, `int${b}`, compareNumbers);
    // Two int2 are compared by subtraction, and the difference is visible to whoever calls the function.
    if (pair === '2') register('btint2cmp(int2,int2)', (x: number, y: number) => x - y);
    else support(`btint${pair}cmp(int${a},int${b})`, compareNumbers);
  }
  larger(`int${a}larger`, `int${a}smaller`, `int${a}`, compareNumbers);
}

for (const a of ['4', '8']) {
  for (const b of ['4', '8']) {
    const pair = a === b ? a : a + b;
    comparisons(`float${pair}`, `float${a}`, `float${b}`, compareFloats);
    support(`btfloat${pair}cmp(float${a},float${b})`, compareFloats);
  }
  larger(`float${a}larger`, `float${a}smaller`, `float${a}`, compareFloats);
}

const compareBools = (a: boolean, b: boolean) => Number(a) - Number(b);
comparisons('bool', 'bool', 'bool', compareBools);
support('btboolcmp(bool,bool)', compareBools);

comparisons('oid', 'oid', 'oid', compareNumbers);
support('btoidcmp(oid,oid)', compareNumbers);
larger('oidlarger', 'oidsmaller', 'oid', compareNumbers);
for (const type of ['xid', 'int4']) {
  const suffix = type === 'int4' ? 'int4' : '';
  register(`xideq${suffix}(xid,${type})`, (a: number, b: number) => a === b >>> 0);
  register(`xidneq${suffix}(xid,${type})`, (a: number, b: number) => a !== b >>> 0);
}
register('cideq(cid,cid)', (a: number, b: number) => a === b);

comparisons('numeric_', 'numeric', 'numeric', compareDecimal);
support('numeric_cmp(numeric,numeric)', compareDecimal);
larger('numeric_larger', 'numeric_smaller', 'numeric', compareDecimal);

register('texteq(text,text)', (a: string, b: string) => a === b);
register('textne(text,text)', (a: string, b: string) => a !== b);
register('text_lt(text,text)', (a: string, b: string) => compareText(a, b) < 0);
register('text_le(text,text)', (a: string, b: string) => compareText(a, b) <= 0);
register('text_gt(text,text)', (a: string, b: string) => compareText(a, b) > 0);
register('text_ge(text,text)', (a: string, b: string) => compareText(a, b) >= 0);
support('bttextcmp(text,text)', compareText);
support('bttext_pattern_cmp(text,text)', compareText);
larger('text_larger', 'text_smaller', 'text', compareText);
for (const name of ['lt', 'le', 'gt', 'ge'] as const) {
  register(`text_pattern_${name}(text,text)`, (a: string, b: string) => TESTS[name](compareText(a, b)));
  register(`bpchar_pattern_${name}(bpchar,bpchar)`, (a: string, b: string) => TESTS[name](compareBpchar(a, b)));
}

comparisons('name', 'name', 'name', compareText);
comparisons('name', 'name', 'text', compareText, 'text');
comparisons('text', 'text', 'name', compareText, 'name');
support('btnamecmp(name,name)', compareText);
support('btnametextcmp(name,text)', compareText);
support('bttextnamecmp(text,name)', compareText);

comparisons('char', 'char', 'char', compareText);
support('btcharcmp(char,char)', compareText);

comparisons('bpchar', 'bpchar', 'bpchar', compareBpchar);
support('bpcharcmp(bpchar,bpchar)', compareBpchar);
support('btbpchar_pattern_cmp(bpchar,bpchar)', compareBpchar);
larger('bpchar_larger', 'bpchar_smaller', 'bpchar', compareBpchar);

comparisons('bytea', 'bytea', 'bytea', compareBytes);
support('byteacmp(bytea,bytea)', compareBytes);
larger('bytea_larger', 'bytea_smaller', 'bytea', compareBytes);

comparisons('record_', 'record', 'record', compareRecords);
comparisons('record_image_', 'record', 'record', compareRecords);
support('btrecordcmp(record,record)', compareRecords);
larger('record_larger', 'record_smaller', 'record', compareRecords);
