/**
 * jsonpath as SQL sees it: what the functions and operators over jsonb do with a path. Paths and variables come as text; a call
 * site keeps those it read last, so that constants are read once.
 */
import { SqlError } from '../../../errors.ts';
import type { EvalContext } from '../../ir.ts';
import { isObject, type Json, type JsonObject, jsonbText, parseJsonb } from '../value.ts';
import { Evaluator } from './evaluate.ts';
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

function readVars(text: string): JsonObject {
  const vars = parseJsonb(text);
  if (vars !== null && typeof vars === 'object' && isObject(vars)) return vars;
  throw new SqlError('22023', '"vars" argument is not an object', {
    detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
  });
}

/** What a call site keeps. */
export class PathCall {
  private readonly paths = new Latest(parsePath);
  private readonly vars = new Latest(readVars);
  private readonly zoned: boolean;

  constructor(zoned: boolean) {
    this.zoned = zoned;
  }

  private evaluator(target: string, path: JsonPath, vars: string | null, silent: boolean, ctx: EvalContext): Evaluator {
    const variables = vars === null ? null : this.vars.of(vars);
    return new Evaluator(path, parseJsonb(target), variables, this.zoned, silent, ctx);
  }

  /** The results; with `silent` those before the first error. */
  query(target: string, pathText: string, vars: string | null, silent: boolean, ctx: EvalContext): Json[] {
    const path = this.paths.of(pathText);
    const evaluator = this.evaluator(target, path, vars, silent, ctx);
    const found: Item[] = [];
    quietly(silent, () => evaluator.start(path.chain, found));
    return found.map(jsonOfItem);
  }

  /** Whether there is a result; null for an error that `silent` hides. In strict mode every result is looked at. */
  exists(target: string, pathText: string, vars: string | null, silent: boolean, ctx: EvalContext): boolean | null {
    const path = this.paths.of(pathText);
    const evaluator = this.evaluator(target, path, vars, silent, ctx);
    return quietly(silent, () => {
      if (path.lax) return evaluator.start(path.chain, null);
      const found: Item[] = [];
      evaluator.start(path.chain, found);
      return found.length > 0;
    });
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
