/**
 * Functions whose bodies are in another language than SQL, as expressions and as what runs them.
 *
 *   f(a, b)  ->  call external(any) of a constant, what the function is (as JSON), a and b          a value
 *   FROM f(a, b)  ->  call external_rows(any) of the same                                           rows
 *
 * All that a call means lies in the expression, its body too: it is the same wherever and whenever it is evaluated, and two bodies are two expressions. So what runs it must give an equal
 * result for equal arguments. The languages are not of this floor: src/ makes them known by setLanguage().
 *
 * Calls are cheaper together. Who goes through many rows says so (in_advance.ts): what runs the function may take arguments of rows to come and keep what they give.
 */
import type { Datum } from '../datum.ts';
import { SqlError } from '../errors.ts';
import type { ColType } from '../types.ts';
import { children } from './children.ts';
import type { Expr } from './ir.ts';

export const EXTERNAL_CALL = 'external(any)';
export const EXTERNAL_ROWS = 'external_rows(any)';

export interface ExternalFunction {
  language: string;
  /** As errors and EXPLAIN name it: `f(integer,text)`. */
  signature: string;
  name: string;
  /** Of its parameters. */
  names: string[];
  types: ColType[];
  /** Of its value; of a set: of its columns, which have no name where the rows are plain values. */
  result: ColType | { name: string | null; type: ColType }[];
  /** Of a set: no rows where an argument is NULL. */
  strict: boolean;
  source: string;
}

/** What runs one function. */
export interface ExternalRunner {
  value(args: Datum[]): Datum;
  /** The same, where it comes at once: what takes longer is undefined, or fails. */
  briefValue(args: Datum[]): Datum | undefined;
  rows(args: Datum[]): Datum[][];
  /** While `work` lasts, `ahead` gives arguments of calls that will probably come, in their order. */
  during<T>(ahead: Iterator<Datum[]>, work: () => T): T;
}

export type Language = (f: ExternalFunction) => ExternalRunner;

const languages = new Map<string, Language>();
const runners = new Map<string, ExternalRunner>();
/** Functions that were replaced leave theirs. */
const MOST_RUNNERS = 2000;

export function setLanguage(name: string, language: Language): void {
  languages.set(name, language);
}

export function externalOf(e: Expr): ExternalFunction | null {
  if (e.k !== 'call' || (e.fn !== EXTERNAL_CALL && e.fn !== EXTERNAL_ROWS)) return null;
  return describedBy(e.args);
}

/** Whether a function in another language is called. */
export function callsExternal(e: Expr): boolean {
  return (e.k === 'call' && (e.fn === EXTERNAL_CALL || e.fn === EXTERNAL_ROWS)) || children(e).some(callsExternal);
}

export function describedBy(args: Expr[]): ExternalFunction {
  const [about] = args;
  if (about.k !== 'const') throw new Error('an external function is a constant');
  return JSON.parse(about.v as string) as ExternalFunction;
}

export function runnerOf(about: Datum): ExternalRunner {
  const text = about as string;
  let runner = runners.get(text);
  if (runner === undefined) {
    const f = JSON.parse(text) as ExternalFunction;
    const language = languages.get(f.language);
    if (language === undefined) throw new SqlError('0A000', `functions in language "${f.language}" are not supported`);
    if (runners.size >= MOST_RUNNERS) for (const oldest of [...runners.keys()].slice(0, 100)) runners.delete(oldest);
    runner = language(f);
    runners.set(text, runner);
  }
  return runner;
}
