/**
 * The register of functions that kernels compute inline, by pg_proc signature. numbers.ts, times.ts, texts.ts and regexes.ts fill it.
 *
 * A template takes its arguments as values that are not NULL and gives an expression for what the interpreter's function gives, with
 * the conditions under which the row is given up instead. It has no semantics of its own: whatever it cannot do exactly, it bails.
 */
import type { Datum } from '../../datum.ts';
import type { Value } from './values.ts';

export interface Inline {
  value: Omit<Value, 'isNull'>;
  /** Conditions, over the expression named $r for the result, that give the row up. */
  bails?: string[];
  /** A condition over $r under which the result is NULL although no argument is. */
  nullWhen?: string;
}

/** The call site: what one use of a template in one kernel may own. */
export interface Site {
  /** Address of a zeroed 16-byte slot for a result; it lives as long as the kernel and is written again for every row. */
  slot(): number;
  /** Address of bytes that live as long as the kernel. */
  bytes(count: number): number;
  /** A text's bytes in such memory. */
  literal(text: string): { address: number; length: number };
  /** A name that stands for the object in the generated code. If it has a `begin(arena)`, the kernel calls it before every batch. */
  use(object: object): string;
  /** As `use`, made once per key in the reach of the generated code, which then runs `start(name)` for the row. */
  share(key: string, make: () => object, start: (name: string) => string): string;
}

/** `constants[i]` is the value of argument i where it is a constant. */
export type Template = (args: Value[], constants: (Datum | undefined)[], site: Site) => Inline | null;

/** Not strict, but with constants that are not NULL behind the first argument NULL exactly where that is. */
export const nullByFirst: ReadonlySet<string> = new Set(['string_to_array(text,text)']);

/** Templates by signature. */
export const templates = new Map<string, Template>();

export const int = (v: string, ...bails: string[]): Inline => ({ value: { kind: 'int', v }, bails });
export const float = (v: string, ...bails: string[]): Inline => ({ value: { kind: 'float', v }, bails });
export const bool = (v: string, ...bails: string[]): Inline => ({
  value: { kind: 'bool', v: `(${v} ? 1 : 0)` },
  bails,
});
export const slot = (v: string, ...bails: string[]): Inline => ({ value: { kind: 'slot', v }, bails });
export const numeric = (v: string, scale: string, ...bails: string[]): Inline => ({
  value: { kind: 'numeric', v, scale },
  bails,
});

/** Largest integer that doubles hold without gaps, as code. */
export const SAFE = '9007199254740991';

/** Conditions under which a result does not fit its type, or the doubles of kernels. */
export const OVER: Record<string, string> = {
  int2: '$r > 32767 || $r < -32768',
  int4: '$r > 2147483647 || $r < -2147483648',
  int8: `$r > ${SAFE} || $r < -${SAFE}`,
};

export const COMPARISONS: [string, string][] = [
  ['eq', '==='],
  ['ne', '!=='],
  ['lt', '<'],
  ['le', '<='],
  ['gt', '>'],
  ['ge', '>='],
];
