/**
 * Functions in JavaScript: what runs those of operators/expr/external.ts.
 *
 *   calls -> rows of JSON -> one run of the sandbox for up to ROWS of them -> values, or an error each
 *
 * A call is a function of its arguments and nothing else. Runs share nothing (sandbox.ts), and two calls of one run nothing that can change (realm.ts); what is left are steps and memory,
 * which the calls of a run take together. So a run of several calls has half of the steps that one call may take, and memory that need not grow: where that does not suffice, what they gave is
 * let go, and fewer are run, at last one alone, whose result counts. What succeeds with half succeeds with all.
 *
 * What was computed is kept for a while, by the arguments' JSON: calls are made in advance (operators/expr/in_advance.ts), and a row that goes has often just come.
 *
 * Cost: 15 microseconds a run, 2 for a call of few and short arguments (docs/decisions/0589). Trap: the present statement may end in the midst of a run (sandbox.ts), whose results are lost.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { type ExternalFunction, type ExternalRunner, setLanguage } from '../../operators/expr/external.ts';
import { type Image, OutOfStack, OutOfSteps, Sandbox, Thrown } from './sandbox.ts';
import { argumentKind, type Json, reader, resultKind, writer } from './values.ts';

/** Of one call; some 100 ms. */
export const STEPS = 50_000_000;
/** And these for reading long arguments and writing them again. */
const STEPS_A_CHARACTER = 40;
/** Of a call that nobody can end: 0.3 ms. */
const BRIEF_STEPS = 100_000;
/** Of one run. */
const ROWS = 256;
const BYTES = 1 << 18;
/** Results that are kept of each function, and their length with that of the arguments. */
const KEPT = 2048;
const KEPT_LENGTH = 1 << 18;
/** Calls that are known to take longer than a brief one, of each function. */
const LONG_CALLS = 1000;

let sandbox: Sandbox | null = null;

const NAME = /^[\p{ID_Start}_$][\p{ID_Continue}$\u200c\u200d]*$/u;
/** Before the body in the text of a function. */
const LINES_BEFORE = 1;

type Result = Json | SqlError;

class JavaScriptFunction implements ExternalRunner {
  readonly #f: ExternalFunction;
  readonly #writers: ((value: Datum) => string)[];
  readonly #value: (value: Json) => Datum;
  readonly #columns: ((value: Json) => Datum)[];
  #image: Image | null = null;
  #ahead: Iterator<Datum[]> | null = null;
  /** Calls of the next run; fewer after one that took too much. */
  #most = ROWS;
  /** By the arguments' JSON. */
  readonly #kept = new Map<string, Result>();
  #keptLength = 0;
  readonly #long = new Set<string>();

  constructor(f: ExternalFunction) {
    this.#f = f;
    this.#writers = f.types.map(writer);
    const isSet = Array.isArray(f.result);
    this.#value = isSet ? () => null : reader(f.result as never);
    this.#columns = Array.isArray(f.result) ? f.result.map(({ type }) => reader(type)) : [];
  }

  value(args: Datum[]): Datum {
    const result = this.#resultOf(args);
    return this.#read(() => this.#value(result));
  }

  briefValue(args: Datum[]): Datum | undefined {
    const key = this.#keyOf(args);
    if (!this.#kept.has(key)) {
      if (this.#long.has(key)) return undefined;
      this.#makeRoom();
      const results = this.#tryRun([key], BRIEF_STEPS);
      if (results === null) {
        if (this.#long.size >= LONG_CALLS) this.#long.clear();
        this.#long.add(key);
        return undefined;
      }
      this.#keep(key, results[0]);
    }
    return this.value(args);
  }

  rows(args: Datum[]): Datum[][] {
    if (this.#f.strict && args.includes(null)) return [];
    const result = this.#resultOf(args);
    if (result === null) return [];
    return this.#read(() => (result as Json[][]).map((row) => row.map((value, i) => this.#columns[i](value))));
  }

  during<T>(ahead: Iterator<Datum[]>, work: () => T): T {
    const outer = this.#ahead;
    this.#ahead = ahead;
    try {
      return work();
    } finally {
      this.#ahead = outer;
    }
  }

  /** Reads the body now. Throws Thrown. */
  load(): void {
    const { names, types, result, source } = this.#f;
    const kinds = {
      parameters: types.map(({ oid }) => argumentKind(oid)),
      result: Array.isArray(result)
        ? { kind: 'rows', columns: result.map(({ name, type }) => ({ name, ...resultKind(type.oid) })) }
        : resultKind(result.oid),
    };
    sandbox ??= new Sandbox();
    this.#image = sandbox.define(
      `(function (${names.join(', ')}) { "use strict";\n${source}\n})`,
      JSON.stringify(kinds),
    );
  }

  #resultOf(args: Datum[]): Json {
    const key = this.#keyOf(args);
    let result = this.#kept.get(key);
    if (result === undefined) {
      this.#makeRoom();
      this.#run(this.#together(key));
      result = this.#kept.get(key) as Result;
    }
    if (result instanceof SqlError) throw result;
    return result;
  }

  #keyOf(args: Datum[]): string {
    let key = '[';
    for (let i = 0; i < args.length; i++) key += (i > 0 ? ',' : '') + this.#writers[i](args[i]);
    return `${key}]`;
  }

  /** The call and some that come after it. */
  #together(first: string): string[] {
    const calls = new Set([first]);
    let bytes = first.length;
    // Arguments may call this function, too.
    const ahead = this.#ahead;
    this.#ahead = null;
    try {
      while (ahead !== null && calls.size < ROWS && bytes < BYTES) {
        const { value, done } = ahead.next();
        if (done) break;
        const key = this.#keyOf(value);
        if (this.#kept.has(key)) continue;
        calls.add(key);
        bytes += key.length;
      }
    } finally {
      this.#ahead = ahead;
    }
    return [...calls];
  }

  #run(calls: string[]): void {
    for (let at = 0; at < calls.length; ) {
      const some = calls.slice(at, at + this.#most);
      const results = this.#tryRun(some);
      if (results === null) {
        this.#most = Math.max(1, some.length >> 2);
        continue;
      }
      this.#most = Math.min(ROWS, this.#most * 2);
      for (const [i, key] of some.entries()) this.#keep(key, results[i]);
      at += some.length;
    }
  }

  #keep(key: string, result: Result): void {
    this.#kept.set(key, result);
    this.#keptLength += key.length + lengthOf(result);
  }

  /** Null: several calls took too much together, or one more than `brief` steps. */
  #tryRun(calls: string[], brief?: number): Result[] | null {
    const isAlone = calls.length === 1;
    try {
      if (this.#image === null) this.load();
      const box = sandbox as Sandbox;
      const results = JSON.parse(
        box.run(
          this.#image as Image,
          `[${calls.join(',')}]`,
          brief ?? (isAlone ? STEPS + STEPS_A_CHARACTER * calls[0].length : STEPS / 2),
          isAlone,
        ),
      );
      if (!isAlone && box.grew) return null;
      return (results as Json[]).map((value) => this.#result(value));
    } catch (error) {
      if (brief !== undefined && error instanceof OutOfSteps) return null;
      const failure = this.#failureOf(error);
      return isAlone ? [failure] : null;
    }
  }

  #result(value: Json): Result {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    const { gave, threw, line } = value;
    if (gave !== undefined) return this.#error('42804', `returned ${gave}`);
    return this.#error('38000', `failed${Number(line) > 0 ? ` at line ${line}` : ''}: ${threw}`);
  }

  #failureOf(error: unknown): SqlError {
    if (error instanceof OutOfSteps) return this.#error('54000', `took more than ${STEPS} steps`);
    if (error instanceof OutOfStack) return this.#error('54001', 'called too deep');
    if (error instanceof Thrown) return this.#error('38000', `failed: ${thrownText(error)}`);
    throw error;
  }

  #error(sqlstate: string, what: string): SqlError {
    return new SqlError(sqlstate, `function ${this.#f.signature} ${what}`);
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      throw new SqlError(error.sqlstate, `result of function ${this.#f.signature}: ${error.message}`, error.fields);
    }
  }

  /** Before a run, all of whose results are wanted. The oldest go first. */
  #makeRoom(): void {
    if (this.#kept.size < KEPT && this.#keptLength <= KEPT_LENGTH) return;
    for (const [key, result] of this.#kept) {
      if (this.#kept.size <= KEPT / 2 && this.#keptLength <= KEPT_LENGTH / 2) return;
      this.#kept.delete(key);
      this.#keptLength -= key.length + lengthOf(result);
    }
  }
}

function lengthOf(result: Result): number {
  if (typeof result === 'string') return result.length;
  return Array.isArray(result) ? result.reduce((n: number, item) => n + lengthOf(item), 8) : 8;
}

function thrownText({ text }: Thrown): string {
  const { name, message } = thrownParts(text);
  return name === undefined ? String(message) : `${name}: ${message}`;
}

function thrownParts(text: string): { name?: string; message: string; line?: number } {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return { message: String(value) };
  const { name, message, stack } = value as { name: string; message: string; stack?: string };
  // The column is where reading began, not where it failed.
  const place = /<body>:(\d+)/.exec(stack ?? '');
  return { name, message, line: place === null ? undefined : Number(place[1]) - LINES_BEFORE };
}

/** What is wrong with a body, and where in its text (UTF-16 units). */
export interface BodyError {
  message: string;
  at: number | null;
}

/** Null where the function can be made. */
export function checkBody(f: ExternalFunction): BodyError | null {
  const odd = f.names.find((name) => !NAME.test(name));
  if (odd !== undefined) return { message: `parameter "${odd}" has no name that JavaScript can have`, at: null };
  try {
    new JavaScriptFunction(f).load();
    return null;
  } catch (error) {
    if (error instanceof OutOfSteps || error instanceof OutOfStack)
      return { message: 'the body is too long', at: null };
    if (!(error instanceof Thrown)) throw error;
    const { message, line } = thrownParts(error.text);
    if (line === undefined || line < 1) return { message, at: null };
    const lines = f.source.split('\n');
    if (line > lines.length) return { message: 'the body ends too soon', at: f.source.length };
    const start = lines.slice(0, line - 1).reduce((n, text) => n + text.length + 1, 0);
    return { message: `${message} at line ${line}`, at: start + (/\S/.exec(lines[line - 1])?.index ?? 0) };
  }
}

setLanguage('javascript', (f) => new JavaScriptFunction(f));
