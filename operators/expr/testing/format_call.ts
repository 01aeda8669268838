/** Test helper: calls format(text, any) with arguments given as SQL literals (strings, integers, NULL). */
import type { Datum } from '../../datum.ts';
import { colType, OID } from '../../types.ts';
import { resolveCall } from '../functions/index.ts';
import type { EvalContext } from '../ir.ts';
import { outcome } from './oracle.ts';

function parse(sql: string): { value: Datum; oid: number } {
  if (sql === 'NULL') return { value: null, oid: OID.unknown };
  if (/^-?\d+$/.test(sql)) return { value: Number(sql), oid: OID.int4 };
  const body = sql.slice(sql.indexOf("'") + 1, -1).replaceAll("''", "'");
  return { value: sql.startsWith('E') ? body.replaceAll('\\\\', '\\') : body, oid: OID.unknown };
}

/** The outcome of format(pattern, ...args), as the oracle writes outcomes. */
export function callFormat(pattern: string, args: string[], ctx: EvalContext): string {
  return outcome(() => {
    const values = args.map(parse);
    const argTypes = [colType(OID.text), ...values.map((v) => colType(v.oid))];
    const call = { argTypes, resultType: colType(OID.text), variadic: false };
    const fn = args.length === 0 ? 'format(text)' : 'format(text,any)';
    return resolveCall(fn, call)([pattern, ...values.map((v) => v.value)], ctx) as string | null;
  });
}
