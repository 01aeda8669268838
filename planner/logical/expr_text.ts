/**
 * Expressions as short text for EXPLAIN and for tests: operators infix, functions by bare name, constants by value.
 * For people: two different expressions may print alike (structureText is the identity).
 */
import type { Datum } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { enumTypeOf } from '../../operators/expr/enum_types.ts';
import { externalOf } from '../../operators/expr/external.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { typeOfRange } from '../../operators/expr/range_types.ts';
import { OID } from '../../operators/types.ts';
import { operatorsByName, procByOid, procSignature, typeByOid } from '../types/catalog.ts';

const INFIX = [
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
  '~~',
  '!~~',
  '~',
  '!~',
  '->',
  '->>',
  '@>',
  '<@',
  '&&',
  '&',
  '|',
  '#',
];

let infix: Map<string, string> | null = null;

function infixOf(fn: string): string | undefined {
  if (infix === null) {
    infix = new Map();
    for (const name of INFIX) {
      for (const operator of operatorsByName(name)) {
        const proc = procByOid(operator.code);
        if (proc && operator.left !== 0) infix.set(procSignature(proc), name === '~~' ? 'like' : name);
      }
    }
  }
  return infix.get(fn);
}

/** Text of an expression; `nameOf` names a column id or position. */
export function exprText(e: Expr, nameOf: (id: number) => string): string {
  const of = (x: Expr): string => exprText(x, nameOf);
  const list = (xs: Expr[]): string => xs.map(of).join(', ');
  const inner = (x: Expr): string => (isCompound(x) ? `(${of(x)})` : of(x));
  switch (e.k) {
    case 'col':
      return nameOf(e.id);
    case 'const':
      return constantText(e.v, e.t.oid);
    case 'param':
      return `$${e.n}`;
    case 'call': {
      const operator = e.args.length === 2 ? infixOf(e.fn) : undefined;
      if (operator) return `${inner(e.args[0])} ${operator} ${inner(e.args[1])}`;
      const external = externalOf(e);
      if (external !== null) return `${external.name}(${list(e.args.slice(1))})`;
      return `${e.fn.slice(0, e.fn.indexOf('('))}(${list(e.args)})`;
    }
    case 'cast':
      return `${inner(e.arg)}::${typeByOid(e.t.oid)?.name ?? e.t.oid}`;
    case 'and':
    case 'or':
      return e.args.map(inner).join(` ${e.k} `);
    case 'not':
      return `not ${inner(e.arg)}`;
    case 'isnull':
      return `${inner(e.arg)} is ${e.negated ? 'not ' : ''}null`;
    case 'istruth':
      return `${inner(e.arg)} is ${e.negated ? 'not ' : ''}${e.value}`;
    case 'distinct':
      return `${inner(e.left)} is ${e.negated ? 'not ' : ''}distinct from ${inner(e.right)}`;
    case 'case': {
      const arms = e.whens.map((w) => `when ${of(w.when)} then ${of(w.then)}`).join(' ');
      return `case ${arms}${e.else ? ` else ${of(e.else)}` : ''} end`;
    }
    case 'coalesce':
      return `coalesce(${list(e.args)})`;
    case 'nullif':
      return `nullif(${of(e.left)}, ${of(e.right)})`;
    case 'extreme':
      return `${e.greatest ? 'greatest' : 'least'}(${list(e.args)})`;
    case 'anyall':
      return `${inner(e.left)} ${infixOf(e.fn) ?? e.fn} ${e.all ? 'all' : 'any'} (${of(e.right)})`;
    case 'array':
      return `array[${list(e.items)}]`;
    case 'subscript': {
      const index = (i: (typeof e.indexes)[number]): string =>
        i.slice ? `[${i.lower ? of(i.lower) : ''}:${i.upper ? of(i.upper) : ''}]` : `[${i.lower ? of(i.lower) : ''}]`;
      return inner(e.arg) + e.indexes.map(index).join('');
    }
    case 'row':
      return `row(${list(e.items)})`;
    case 'field':
      return `(${of(e.arg)}).f${e.index + 1}`;
  }
}

function isCompound(e: Expr): boolean {
  if (e.k === 'call') return e.args.length === 2 && infixOf(e.fn) !== undefined;
  return ['and', 'or', 'not', 'isnull', 'istruth', 'distinct', 'anyall'].includes(e.k);
}

/** Times and enum values are shown as PostgreSQL writes them, everything else as in datumText. */
function constantText(v: Datum, oid: number): string {
  const isTime = oid === OID.timestamp || oid === OID.timestamptz || oid === OID.date || oid === OID.time;
  if (v === null || !(isTime || enumTypeOf(oid) !== undefined)) return datumText(v);
  return datumText(outputText(v, oid, defaultContext()));
}

/** A constant for people. */
export function datumText(v: Datum): string {
  if (v === null) return 'null';
  if (typeof v === 'string') return `'${v.replaceAll("'", "''")}'`;
  if (typeof v !== 'object') return String(v);
  if (v instanceof Uint8Array) return `'\\x${Buffer.from(v).toString('hex')}'`;
  switch (v.k) {
    case 'dec': {
      if (v.special) return v.special;
      const digits = (v.m < 0n ? -v.m : v.m).toString().padStart(v.s + 1, '0');
      const point = digits.length - v.s;
      return `${v.m < 0n ? '-' : ''}${digits.slice(0, point)}${v.s > 0 ? `.${digits.slice(point)}` : ''}`;
    }
    case 'interval': {
      const parts = [v.months && `${v.months} mon`, v.days && `${v.days} d`, v.micros && `${Number(v.micros) / 1e6} s`];
      return `interval '${parts.filter((p) => p).join(' ') || '0'}'`;
    }
    case 'array':
      return `array[${v.items.map(datumText).join(', ')}]`;
    case 'record':
      return `row(${v.values.map(datumText).join(', ')})`;
    case 'range':
    case 'multirange':
      return datumText(outputText(v, typeOfRange(v), defaultContext()));
  }
}
