/**
 * jsonpath as SQL sees it: what the functions and operators over jsonb do with a path. Paths and variables come as text; a call
 * site keeps those it read last, so that constants are read once.
 */
import { SqlError } from '../../../errors.ts';
import type { EvalContext } from '../../ir.ts';
import { getKey, isObject, type Json, jsonbText, parseJsonb } from '../value.ts';
import { Evaluator, type Variables } from './evaluate.ts';
import { type Item, jsonOfItem, PathError } from './item.ts';
import { parsePath } from './parse.ts';
import type { JsonPath } from './syntax.ts';

/** Keeps the value that was made of a text last. */
export class Latest<T> {
  private readonly make: (text: string) => T;
  private text: string | undefined;
  private value: T | undefined;

  constructor(make: (text: string) => T) {
    this.make = make;
  }

  of(text: string): T {
    if (text !== this.text) {
      this.value = this.make(text);
      this.text = text;
    }
    return this.value as T;
  }
}

const NO_VARIABLES: Variables = { find: () => undefined, documents: 0 };

/** The members of a jsonb object. */
function variablesOf(text: string): Variables {
  const root = parseJsonb(text);
  if (root === null || typeof root !== 'object' || !isObject(root)) {
    throw new SqlError('22023', '"vars" argument is not an object', {
      detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
    });
  }
  const base = { root, id: 1 };
  const find = (name: string) => {
    const item = getKey(root, name);
    return item === undefined ? undefined : { item, base };
  };
  return { find, documents: 1 };
}

/** What a call site keeps. */
export class PathCall {
  private readonly paths = new Latest(parsePath);
  private readonly vars = new Latest(variablesOf);
  private readonly zoned: boolean;

  constructor(zoned: boolean) {
    this.zoned = zoned;
  }

  private run(target: string, pathText: string, vars: string | null, silent: boolean, ctx: EvalContext): PathRun {
    const path = this.paths.of(pathText);
    const variables = vars === null ? NO_VARIABLES : this.vars.of(vars);
    return { path, target: parseJsonb(target), vars: variables, zoned: this.zoned, silent, ctx };
  }

  /** The results; with `silent` those before the first error. */
  query(target: string, pathText: string, vars: string | null, silent: boolean, ctx: EvalContext): Json[] {
    const found: Item[] = [];
    const run = this.run(target, pathText, vars, silent, ctx);
    quietly(silent, () => collect(run, found));
    return found.map(jsonOfItem);
  }

  /** Whether there is a result; null for an error that `silent` hides. */
  exists(target: string, pathText: string, vars: string | null, silent: boolean, ctx: EvalContext): boolean | null {
    const run = this.run(target, pathText, vars, silent, ctx);
    return quietly(silent, () => anyResult(run));
  }

  /** The single boolean that the path gives. */
  match(target: string, pathText: string, vars: string | null, silent: boolean, ctx: EvalContext): boolean | null {
    const found = this.query(target, pathText, vars, silent, ctx);
    const [one] = found;
    if (found.length === 1 && (one === null || typeof one === 'boolean')) return one;
    if (silent) return null;
    throw new SqlError('22038', 'single boolean result is expected');
  }
}

/** A path and all that it is run with. */
export interface PathRun {
  path: JsonPath;
  target: Json;
  vars: Variables;
  zoned: boolean;
  /** Errors of the path will not be told. */
  silent: boolean;
  ctx: EvalContext;
}

function evaluatorOf({ path, target, vars, zoned, silent, ctx }: PathRun): Evaluator {
  return new Evaluator(path, target, vars, zoned, silent, ctx);
}

/** Pushes the results to `found`. */
export function collect(run: PathRun, found: Item[]): void {
  evaluatorOf(run).start(run.path.chain, found);
}

/** Whether there is a result. In strict mode every one is looked at, for it may be an error. */
export function anyResult(run: PathRun): boolean {
  const evaluator = evaluatorOf(run);
  const { lax, chain } = run.path;
  if (lax) return evaluator.start(chain, null);
  const found: Item[] = [];
  evaluator.start(chain, found);
  return found.length > 0;
}

function quietly<T>(silent: boolean, run: () => T): T | null {
  try {
    return run();
  } catch (e) {
    if (silent && e instanceof PathError) return null;
    throw e;
  }
}

/** The results as jsonb datums. */
export function datums(found: Json[]): string[] {
  return found.map(jsonbText);
}
