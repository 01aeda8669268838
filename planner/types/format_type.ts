/**
 * Type names as PostgreSQL prints them: format_type(oid, typmod), and every error message that names a type.
 */
import { QUOTED_KEYWORDS } from '../../operators/expr/text/keywords.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { type ColType, declaredOid, OID } from '../../operators/types.ts';
import { namespaceName, PG_CATALOG, type PgType, typeByOid } from './catalog.ts';
import { typmodOut } from './typmod.ts';
import { userTypeOf } from './user_types.ts';

/** Names that the SQL standard spells otherwise than pg_type. */
const SQL_NAMES = new Map<number, string>([
  [OID.bool, 'boolean'],
  [OID.int2, 'smallint'],
  [OID.int4, 'integer'],
  [OID.int8, 'bigint'],
  [OID.float4, 'real'],
  [OID.float8, 'double precision'],
  [OID.numeric, 'numeric'],
  [OID.interval, 'interval'],
  [OID.time, 'time'],
  [OID.timetz, 'time'],
  [OID.timestamp, 'timestamp'],
  [OID.timestamptz, 'timestamp'],
  [OID.varchar, 'character varying'],
  [OID.varbit, 'bit varying'],
  [OID.json, 'json'],
]);

/** Without a length `bit` and `character` mean length 1, so a typmod of -1 is printed under pg_type's name. */
const LENGTH_ONE_NAMES = new Map<number, string>([
  [OID.bit, 'bit'],
  [OID.bpchar, 'character'],
]);

/** Without a search path a type of the schema public has no schema before it. */
function quotedName(type: PgType, path: string[] = ['public']): string {
  const name = QUOTED_KEYWORDS.has(type.name) || !/^[a-z_][a-z0-9_$]*$/.test(type.name) ? `"${type.name}"` : type.name;
  if (type.namespace === PG_CATALOG) return name;
  const schema = userTypeOf(type.oid)?.schema;
  if (schema === undefined) return `${namespaceName(type.namespace)}.${name}`;
  return path.includes(schema) ? name : `${quoteIdent(schema)}.${name}`;
}

/** format_type(oid, typmod), with the schemas of user types that the search path does not find: `numeric(10,2)`, `character varying(5)[]`, `timestamp(3) without time zone`. No typmod: the type's general name. */
export function formatType(oid: number, typmod?: number | null, path?: string[]): string {
  if (oid === 0) return '-';
  const type = typeByOid(oid);
  if (!type) return '???';
  if (type.isArray && oid !== OID.int2vector && oid !== OID.oidvector)
    return `${formatType(type.element, typmod, path)}[]`;
  const given = typmod !== undefined && typmod !== null;
  const lengthOne = LENGTH_ONE_NAMES.get(oid);
  if (lengthOne !== undefined) {
    if (given && typmod >= 0) return lengthOne + typmodOut(oid, typmod);
    return given ? quotedName(type) : lengthOne;
  }
  const name = SQL_NAMES.get(oid);
  if (name !== undefined) return name + typmodOut(oid, given ? typmod : -1);
  return given && typmod >= 0 ? `${quotedName(type)}(${typmod})` : quotedName(type, path);
}

/** The type's general name, as messages say it: a domain under its own. */
export function typeWords(type: ColType): string {
  return formatType(declaredOid(type));
}
