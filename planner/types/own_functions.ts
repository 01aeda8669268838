/**
 * Functions that Tidemark adds to PostgreSQL's, declared as pg_proc would list them. OIDs lie in the range that PostgreSQL
 * leaves to others (8000-9999).
 */
import { OID } from '../../operators/types.ts';
import type { PgProc } from './catalog.ts';

function stable(oid: number, name: string, args: number[], result: number): PgProc {
  return {
    oid,
    name,
    namespace: 11,
    kind: 'f',
    strict: true,
    retset: false,
    volatility: 's',
    result,
    args,
    variadic: 0,
    defaults: [],
    allArgs: null,
    argModes: null,
    argNames: null,
  };
}

/** Tells the tick that a statement reads: another value with every tick, so nothing that outlives a statement may hold it. */
export const TICK_FUNCTION = 'tidemark_tick()';

export const OWN_FUNCTIONS: PgProc[] = [stable(9500, 'tidemark_tick', [], OID.int8)];
