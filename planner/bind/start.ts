/**
 * The state a statement's binding starts with.
 */
import { tooDeep } from '../parse/pg_parser.ts';
import type { BindEnv } from './env.ts';
import { bindExpression } from './expression.ts';
import { Shared } from './level.ts';
import { bindSelect } from './select.ts';

/** Runs a statement's binding; a nesting too deep for the stack is PostgreSQL's error 54001. */
export function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (e) {
    if (e instanceof RangeError && e.message.includes('call stack')) {
      throw tooDeep();
    }
    throw e;
  }
}

export function newShared(env: BindEnv): Shared {
  return new Shared(env, { expression: bindExpression, select: bindSelect });
}
