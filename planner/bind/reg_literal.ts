/**
 * Literals of the types that name catalog objects: 'pg_class'::regclass, 'int4'::regtype. The catalog is asked once, at binding.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { OID } from '../../operators/types.ts';
import { parseTypeName } from '../types/type_name.ts';
import type { BindEnv } from './env.ts';

/**
 * The OID that a literal of type regclass or regtype names. Undefined where the type's input function does it: other types, numbers,
 * and sessions of a server, whose catalog knows index names too.
 */
export function regLiteral(env: BindEnv, text: string, type: number): Datum | undefined {
  if (env.evalContext.session !== undefined || /^\s*(\d+|-)\s*$/.test(text)) return undefined;
  if (type === OID.regtype) return parseTypeName(text).oid;
  if (type !== OID.regclass) return undefined;
  const path = regclassPath(text);
  const relation = path.length > 2 ? null : env.catalog.relation(path.at(-2), path[path.length - 1]);
  if (!relation) throw new SqlError('42P01', `relation "${path.join('.')}" does not exist`);
  return relation.oid;
}

/** The parts of a dotted name; unquoted ones in lower case. */
export function regclassPath(text: string): string[] {
  const parts: string[] = [];
  const part = /\s*(?:"((?:[^"]|"")*)"|([^\s".]+))\s*(\.|$)/y;
  while (part.lastIndex < text.length) {
    const m = part.exec(text);
    if (!m) throw new SqlError('42602', 'invalid name syntax');
    parts.push(m[1] !== undefined ? m[1].replaceAll('""', '"') : m[2].toLowerCase());
  }
  return parts;
}
