/** Evaluation contexts: one with PostgreSQL's default settings, which tests and constant folding start from, one without a clock, and copies. */
import { ClockError } from '../errors.ts';
import type { EvalContext } from './ir.ts';

/** A fresh context at 2000-01-01 00:00 UTC; give overrides for what matters. */
export function defaultContext(overrides: Partial<EvalContext> = {}): EvalContext {
  return {
    now: 0n,
    timeZone: 'UTC',
    dateStyle: 'ISO, MDY',
    intervalStyle: 'postgres',
    extraFloatDigits: 1,
    byteaOutput: 'hex',
    user: 'tidemark',
    database: 'tidemark',
    searchPath: ['public'],
    tick: 0n,
    ...overrides,
  };
}

/**
 * A context for what must come to the same whenever it is computed: a view's values of a row, which are computed again when the row goes, and the literals of
 * its query. Where a value depends on the clock (the text 'now' as a time) it is error 0A000. Copying it reads the clock.
 */
export function withoutClock(context: EvalContext): EvalContext {
  return Object.defineProperty(copyContext(context), 'now', {
    get() {
      throw new ClockError();
    },
  });
}

/** A copy to be changed. Field by field: one is made for every statement, and a spread that has to look for the fields takes several times as long. */
export function copyContext(context: EvalContext): EvalContext {
  const { now, timeZone, dateStyle, intervalStyle, extraFloatDigits, byteaOutput } = context;
  const { user, role, restricted, sessionUser, database, searchPath, tick, params, session } = context;
  return {
    now,
    timeZone,
    dateStyle,
    intervalStyle,
    extraFloatDigits,
    byteaOutput,
    user,
    role,
    restricted,
    sessionUser,
    database,
    searchPath,
    tick,
    params,
    session,
  };
}
