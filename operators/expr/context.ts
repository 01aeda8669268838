/** The evaluation context with PostgreSQL's default settings: what tests and constant folding start from. */
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
