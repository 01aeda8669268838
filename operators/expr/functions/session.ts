/**
 * Functions that ask the server: settings, the session's identity, and everything about the catalogs. The catalog ones are all
 * one line here: the server's `SessionFunctions.catalog` answers them by name. Without a session (in a view) they are 0A000.
 *
 * A set-returning catalog function answers with an array: of records for several columns, of plain items for one.
 */
import { type Datum, isPgArray, type PgArray, pgArray } from '../../datum.ts';
import { SqlError, unsupported } from '../../errors.ts';
import { declaredOid, OID } from '../../types.ts';
import type { EvalContext, SessionFunctions } from '../ir.ts';
import { isOpenMark, OWN_TEMPORARY, saidPath, searchOrder } from '../search_path.ts';
import { CATALOG_FUNCTIONS, CATALOG_SETS } from './catalog_signatures.ts';
import { register, registerSet, registerTyped } from './registry.ts';

function sessionOf(ctx: EvalContext, fn: string): SessionFunctions {
  if (!ctx.session) throw unsupported(`function ${fn}() here, outside of a session,`);
  return ctx.session;
}

function signatures(table: Record<string, string>): { name: string; key: string }[] {
  return Object.entries(table).flatMap(([name, overloads]) =>
    overloads.split(' ').map((args) => ({ name, key: `${name}(${args === '-' ? '' : args})` })),
  );
}

for (const { name, key } of signatures(CATALOG_FUNCTIONS)) {
  register(key, (...args: (Datum | EvalContext)[]) => {
    const ctx = args.pop() as EvalContext;
    return sessionOf(ctx, name).catalog(name, args as Datum[]);
  });
}

function* rowsOf(answer: Datum): Generator<Datum[]> {
  if (answer === null) return;
  if (!isPgArray(answer)) throw new Error('a catalog set must be an array');
  for (const item of answer.items) {
    yield item !== null && typeof item === 'object' && 'k' in item && item.k === 'record' ? item.values : [item];
  }
}

for (const { name, key } of signatures(CATALOG_SETS)) {
  registerSet(key, (...args: (Datum | EvalContext)[]) => {
    const ctx = args.pop() as EvalContext;
    return rowsOf(sessionOf(ctx, name).catalog(name, args as Datum[]));
  });
}

function setting(name: string, missingOk: boolean, ctx: EvalContext): string | null {
  const value = sessionOf(ctx, 'current_setting').getSetting(name);
  if (value === null && !missingOk) {
    throw new SqlError('42704', `unrecognized configuration parameter "${name}"`);
  }
  return value;
}
register('current_setting(text)', (name: string, ctx: EvalContext) => setting(name, false, ctx));
register('current_setting(text,bool)', setting);
register(
  'set_config(text,text,bool)',
  (name: string | null, value: string | null, local: boolean | null, ctx: EvalContext) => {
    if (name === null) throw new SqlError('22004', 'SET requires parameter name');
    return sessionOf(ctx, 'set_config').setSetting(name, value ?? '', local === true);
  },
);
register('pg_backend_pid()', (ctx: EvalContext) => sessionOf(ctx, 'pg_backend_pid').backendPid());
register('pg_client_encoding()', (ctx: EvalContext) => setting('client_encoding', false, ctx));

/** The tick whose rows the statement reads. */
register('tidemark_tick()', (ctx: EvalContext) => ctx.tick);

register('current_database()', (ctx: EvalContext) => ctx.database);
register('current_user()', (ctx: EvalContext) => ctx.user);
register('getpgusername()', (ctx: EvalContext) => ctx.user);
register('session_user()', (ctx: EvalContext) => ctx.sessionUser ?? ctx.user);
register('current_schema()', (ctx: EvalContext) => saidPath(ctx.searchPath)[0] ?? null);
register('current_schemas(bool)', (implicit: boolean, ctx: EvalContext): PgArray => {
  if (!implicit) return pgArray(OID.name, saidPath(ctx.searchPath));
  return pgArray(
    OID.name,
    searchOrder(ctx.searchPath).filter((schema) => schema !== OWN_TEMPORARY && !isOpenMark(schema)),
  );
});

registerTyped('pg_typeof(any)', (_args, call) => declaredOid(call.argTypes[0]));
