/** Input and output of the reg* types by name, and to_reg*, which give NULL where input would fail for want of the object. */
import type { Datum } from '../../../../operators/datum.ts';
import { SqlError } from '../../../../operators/errors.ts';
import { searchOrder } from '../../../../operators/expr/search_path.ts';
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import { type ColType, declaredOid } from '../../../../operators/types.ts';
import {
  namespaceName,
  operatorByOid,
  operatorsByName,
  type PgOperator,
  type PgProc,
  typeByOid,
} from '../../../../planner/types/catalog.ts';
import { type SystemTable, systemTable } from '../../../../planner/types/catalog_table.ts';
import { formatType, parseTypeName } from '../../../../planner/types/type_name.ts';
import type { Moment } from '../catalog_relation.ts';
import { procOf, procsOf } from '../procs.ts';
import { namedBy, roleName, roleOid } from '../roles.ts';
import type { CatalogFunctions } from './catalog_function.ts';
import { textOf } from './catalog_function.ts';
import { findByOid, findRelation, nameParts, qualified, shownName } from './names.ts';

function missing(code: string, what: string, text: string): SqlError {
  return new SqlError(code, `${what} "${text}" does not exist`);
}

function schemaExists(moment: Moment, schema: string | undefined): boolean {
  return schema === undefined || moment.facts.schemas.some((s) => s.name === schema);
}

function typeOf(text: string, { facts, context }: Moment): ColType {
  const { catalog } = facts.engine;
  return parseTypeName(text, (schema, name) => catalog.typeNamed(schema, name, context.searchPath));
}

function regtypeIn(text: string, moment: Moment): number {
  try {
    return declaredOid(typeOf(text, moment));
  } catch (error) {
    const schema = /^\s*(\w+)\s*\./.exec(text)?.[1].toLowerCase();
    if (error instanceof SqlError && error.sqlstate === '42704' && !schemaExists(moment, schema)) {
      throw missing('3F000', 'schema', schema ?? '');
    }
    throw error;
  }
}

function regclassIn(text: string, moment: Moment): number {
  const { schema, name } = qualified(text, moment);
  const found = findRelation(moment.facts, schema, name, moment.context.searchPath);
  if (found !== undefined) return found.oid;
  throw missing('42P01', 'relation', schema === undefined ? name : `${schema}.${name}`);
}

function regclassOut(oid: number, moment: Moment): string | null {
  const named = findByOid(moment.facts, oid);
  return named === undefined ? null : shownName(moment.facts, named, moment.context.searchPath);
}

/** An operator, or a function that may be a user's. */
type Placed = Pick<PgProc, 'namespace' | 'made'>;

const schemaOf = ({ namespace, made }: Placed): string | undefined => made?.schema ?? namespaceName(namespace);

/** Of a qualified or unqualified name, those in the first schema of the path that has any. */
function inPath<T extends Placed>(found: T[], schema: string | undefined, moment: Moment): T[] {
  for (const s of schema === undefined ? searchOrder(moment.context.searchPath) : [schema]) {
    const here = found.filter((x) => schemaOf(x) === s);
    if (here.length > 0) return here;
  }
  return [];
}

function regprocIn(text: string, moment: Moment): number {
  const { schema, name } = qualified(text, moment);
  const found = inPath(procsOf(moment.facts, name), schema, moment);
  if (found.length === 0) throw missing('42883', 'function', text);
  if (found.length > 1) throw new SqlError('42725', `more than one function named "${text}"`);
  return found[0].oid;
}

function regprocOut(oid: number, moment: Moment): string | null {
  const proc = procOf(moment.facts, oid);
  if (proc === undefined) return null;
  const found = inPath(procsOf(moment.facts, proc.name), undefined, moment);
  return found.length === 1 && found[0] === proc ? quoteIdent(proc.name) : qualifiedBy(proc);
}

function qualifiedBy(proc: PgProc): string {
  return `${quoteIdent(schemaOf(proc) ?? '')}.${quoteIdent(proc.name)}`;
}

/** `name(type, type)` -> the name's text and the types' OIDs; null for the type NONE. */
function signatureOf(text: string, kind: string, moment: Moment): { name: string; types: (number | null)[] } {
  const open = text.indexOf('(');
  if (open < 0) throw new SqlError('22P02', 'expected a left parenthesis');
  if (!text.trimEnd().endsWith(')')) throw new SqlError('22P02', 'expected a right parenthesis');
  const inside = text.slice(open + 1, text.lastIndexOf(')')).trim();
  const types = inside === '' ? [] : splitTypes(inside);
  if (types.some((t) => t.trim() === '')) throw new SqlError('22P02', 'expected a type name');
  return {
    name: text.slice(0, open),
    types: types.map((t) => (kind === 'operator' && /^\s*none\s*$/i.test(t) ? null : declaredOid(typeOf(t, moment)))),
  };
}

/** Splits at commas outside of brackets and quotes. */
function splitTypes(text: string): string[] {
  return [...text.matchAll(/(?:"(?:[^"]|"")*"|\([^)]*\)|[^,"(])+|(?<=,)(?=,|$)/g)].map((m) => m[0]);
}

export function regprocedureIn(text: string, moment: Moment): number {
  const { name, types } = signatureOf(text, 'function', moment);
  const { schema, name: plain } = qualified(name, moment);
  const found = inPath(procsOf(moment.facts, plain), schema, moment).find((p) => p.args.join() === types.join());
  if (found === undefined) throw missing('42883', 'function', text);
  return found.oid;
}

function procedureText(proc: PgProc, moment: Moment): string {
  const same = procsOf(moment.facts, proc.name).filter((p) => p.args.join() === proc.args.join());
  const visible = inPath(same, undefined, moment).includes(proc);
  const name = visible ? quoteIdent(proc.name) : qualifiedBy(proc);
  return `${name}(${proc.args.map((t) => formatType(t)).join(',')})`;
}

function operatorName(text: string): { schema: string | undefined; name: string } {
  const dot = /^(.*)\.([^.\w"]+)$/.exec(text.trim());
  return dot === null ? { schema: undefined, name: text.trim() } : { schema: nameParts(dot[1])[0], name: dot[2] };
}

function regoperIn(text: string, moment: Moment): number {
  const { schema, name } = operatorName(text);
  const found = inPath(operatorsByName(name), schema, moment);
  if (found.length === 0) throw new SqlError('42883', `operator does not exist: ${text}`);
  if (found.length > 1) throw new SqlError('42725', `more than one operator named ${text}`);
  return found[0].oid;
}

/** Without operand types only a name that one operator has is enough. */
function regoperOut(oid: number): string | null {
  const op = operatorByOid(oid);
  if (op === undefined) return null;
  return operatorsByName(op.name).length === 1
    ? op.name
    : `${quoteIdent(namespaceName(op.namespace) ?? '')}.${op.name}`;
}

function regoperatorIn(text: string, moment: Moment): number {
  const { name, types } = signatureOf(text, 'operator', moment);
  if (types.length !== 2) {
    throw types.length === 1
      ? new SqlError('42P02', 'missing argument', {
          hint: 'Use NONE to denote the missing argument of a unary operator.',
        })
      : new SqlError('54023', 'too many arguments', { hint: 'Provide two argument types for operator.' });
  }
  const { schema, name: plain } = operatorName(name);
  const [left, right] = types.map((t) => t ?? 0);
  const found = inPath(operatorsByName(plain), schema, moment).find((o) => o.left === left && o.right === right);
  if (found === undefined) throw new SqlError('42883', `operator does not exist: ${text}`);
  return found.oid;
}

function operatorText(op: PgOperator): string {
  const side = (t: number) => (t === 0 ? 'NONE' : formatType(t));
  return `${op.name}(${side(op.left)},${side(op.right)})`;
}

/** OIDs of a static catalog by name, and back. */
function byName(table: SystemTable, column: string, name: string): number | null {
  const row = systemTable(table).indexBy(column).get(name)?.[0];
  return row === undefined ? null : systemTable(table).number(row, 'oid');
}

function nameOf(table: SystemTable, column: string, oid: number): string | null {
  const row = systemTable(table).indexBy('oid').get(String(oid))?.[0];
  return row === undefined ? null : quoteIdent(systemTable(table).text(row, column));
}

/** `what`: how errors call it, $ for the name. */
function namedIn(table: SystemTable, column: string, what: string): (text: string, moment: Moment) => number {
  return (text, moment) => {
    const oid = byName(table, column, qualified(text, moment).name);
    if (oid === null) throw new SqlError('42704', `${what} does not exist`.replace('$', `"${text}"`));
    return oid;
  };
}

function regnamespaceIn(text: string, moment: Moment): number {
  const [name] = nameParts(text);
  const schema = moment.facts.schemas.find((s) => s.name === name);
  if (schema === undefined) throw missing('3F000', 'schema', name);
  return schema.oid;
}

function regroleIn(text: string, moment: Moment): number {
  const [name] = nameParts(text);
  const oid = roleOid(name, namedBy(moment.facts, moment.context));
  if (oid === null) throw missing('42704', 'role', name);
  return oid;
}

interface RegType {
  in(text: string, moment: Moment): number;
  out(oid: number, moment: Moment): string | null;
}

const quoted = (name: string | null | undefined): string | null =>
  name === null || name === undefined ? null : quoteIdent(name);

const REG_TYPES: Record<string, RegType> = {
  regclass: { in: regclassIn, out: regclassOut },
  regtype: {
    in: regtypeIn,
    out: (oid, { context }) => (typeByOid(oid) === undefined ? null : formatType(oid, null, context.searchPath)),
  },
  regproc: { in: regprocIn, out: regprocOut },
  regprocedure: {
    in: regprocedureIn,
    out: (oid, moment) => {
      const proc = procOf(moment.facts, oid);
      return proc === undefined ? null : procedureText(proc, moment);
    },
  },
  regoper: { in: regoperIn, out: regoperOut },
  regoperator: {
    in: regoperatorIn,
    out: (oid) => {
      const op = operatorByOid(oid);
      return op === undefined ? null : operatorText(op);
    },
  },
  regnamespace: { in: regnamespaceIn, out: (oid, { facts }) => quoted(facts.schema(oid)?.name) },
  regrole: { in: regroleIn, out: (oid, { facts, context }) => quoted(roleName(oid, namedBy(facts, context))) },
  regconfig: {
    in: namedIn('pg_ts_config', 'cfgname', 'text search configuration $'),
    out: (oid) => nameOf('pg_ts_config', 'cfgname', oid),
  },
  regcollation: {
    in: namedIn('pg_collation', 'collname', 'collation $ for encoding "UTF8"'),
    out: (oid) => nameOf('pg_collation', 'collname', oid),
  },
};

/** SQLSTATEs that say that the object is not there, or that its name is none. */
const NOT_THERE = new Set(['42P01', '42704', '42883', '42725', '3F000', '42602', '42601', '22P02']);

function orNull(read: () => Datum): Datum {
  try {
    return read();
  } catch (error) {
    if (error instanceof SqlError && NOT_THERE.has(error.sqlstate)) return null;
    throw error;
  }
}

/** Numbers are taken by the types' input functions, which come here with names only; to_reg* take them too. */
function toReg(type: RegType): CatalogFunctions[string] {
  return ([text], moment) => {
    const name = textOf(text);
    return /^\d+$/.test(name) ? Number(name) : orNull(() => type.in(name, moment));
  };
}

export const REG_FUNCTIONS: CatalogFunctions = {
  ...Object.fromEntries(
    Object.entries(REG_TYPES).flatMap(
      ([name, type]) =>
        [
          [`${name}in`, ([text], moment) => type.in(textOf(text), moment)],
          [`${name}out`, ([oid], moment) => type.out(Number(oid), moment)],
          [`to_${name}`, toReg(type)],
        ] satisfies [string, CatalogFunctions[string]][],
    ),
  ),
  to_regtypemod: ([text], moment) => orNull(() => typeOf(textOf(text), moment).typmod),
};
