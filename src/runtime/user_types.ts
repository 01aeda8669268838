/**
 * CREATE TYPE ... AS ENUM and ALTER TYPE.
 *
 * What is kept up to date is computed again when a row goes, so it must come to the same then: a label keeps its value for ever, and gets another text only while
 * nothing that is kept has seen the old one (checkNothingKept). A label that comes to it later changes nothing that is kept, as views read no texts as enum values
 * (planner/bind/coercion.ts).
 */

import { SqlError } from '../../operators/errors.ts';
import { type EnumLabel, type EnumType, GAP } from '../../operators/expr/enum_types.ts';
import { userTypeOid } from '../../operators/types.ts';
import type { EnumAction, Statement } from '../../planner/parse/ast.ts';
import { typeByName } from '../../planner/types/catalog.ts';
import { formatType } from '../../planner/types/type_name.ts';
import { userTypeOf } from '../../planner/types/user_types.ts';
import type { EnumObject, TypeObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkOwner } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkTypeNotOthers } from './names.ts';
import { targetSchema } from './target_schema.ts';
import { checkNothingKept, checkNowhereNamed, checkNowhereSaid } from './type_users.ts';

/** Bytes of a label. */
const LONGEST = 63;
const GREATEST = 0x7fffffff;
const LEAST = -0x80000000;

export function createEnum(
  engine: TidemarkEngine,
  { schema: written, name, labels, text }: Extract<Statement, { k: 'create_enum' }>,
  session: SessionContext,
): void {
  const { catalog } = engine;
  const schema = targetSchema(engine, { schema: written }, session);
  checkTypeNotOthers(engine, schema, name, session);
  if (labels.length * GAP > GREATEST) throw tooMany(name);
  labels.forEach((label, i) => {
    checkLabel(label);
    if (labels.indexOf(label) < i)
      throw new SqlError('23505', 'duplicate key value violates unique constraint "pg_enum_typid_label_index"', {
        detail: `The label "${label}" is there twice.`,
      });
  });
  const oid = newTypeOid(engine);
  const type: EnumType = {
    oid: userTypeOid(oid),
    schema,
    namespace: catalog.schemaOid(schema, session.searchPath),
    name,
    labels: labels.map((label, i) => ({ oid: catalog.newOid(), label, value: i * GAP })),
    renames: 0,
    former: [],
  };
  engine.define({ kind: 'type', oid, schema, name, sql: text, dependencies: [], type }, session);
}

/** Another engine of the process may have a type of this OID. Done again, a statement gets the OID that it had. */
export function newTypeOid({ catalog, replay }: TidemarkEngine): number {
  for (;;) {
    const oid = catalog.newOid();
    if (replay !== null || userTypeOf(userTypeOid(oid)) === undefined) return oid;
  }
}

function checkLabel(label: string): void {
  if (Buffer.byteLength(label, 'utf8') <= LONGEST) return;
  throw new SqlError('42602', `invalid enum label "${label}"`, { detail: `Labels must be ${LONGEST} bytes or less.` });
}

export function alterEnum(
  engine: TidemarkEngine,
  { schema, name, action, text }: Extract<Statement, { k: 'alter_enum' }>,
  session: SessionContext,
): void {
  const { catalog } = engine;
  const made = catalog.nextOid;
  // Done again, it may come before the type got the name that it says.
  const again = engine.replay === null ? undefined : catalog.get(engine.replay.altered);
  const object = again?.kind === 'type' ? again : typeNamed(engine, schema, name, session);
  checkOwner(engine, object, session);
  if (action.k === 'rename') {
    checkNowhereNamed(engine, object);
    catalog.rename(object, action.to);
    catalog.setType(object, { ...object.type, name: action.to });
  } else if (!('labels' in object.type)) throw new SqlError('42809', `${formatType(object.type.oid)} is not an enum`);
  else {
    const { type } = object;
    const labels = changed(engine, object as EnumObject, action, session);
    if (labels === null) return;
    const renamed = type.labels.filter(({ label }) => action.k === 'rename_value' && label === action.from);
    const former = engine.replay === null ? [] : [...type.former, ...renamed];
    catalog.setType(object, { ...type, labels, renames: type.renames + renamed.length, former });
  }
  const oid = catalog.nextOid === made ? object.oid : made;
  engine.defined({ sql: text, made: oid, dropped: [], altered: object.oid }, session, [object.oid]);
}

/** The type of a user; 42704 when there is none, 42809 when it is one of PostgreSQL's. */
export function typeNamed(
  { catalog }: TidemarkEngine,
  schema: string | undefined,
  name: string,
  { searchPath }: SessionContext,
): TypeObject {
  const found = catalog.findType(schema, name, searchPath);
  if (found !== undefined) return found;
  if (typeByName(schema, name) !== undefined) throw new SqlError('42809', `${name} is not an enum`);
  const path = schema === undefined ? name : `${schema}.${name}`;
  throw new SqlError('42704', `type "${path}" does not exist`);
}

/** The labels by then; null when there is nothing to do. */
function changed(
  engine: TidemarkEngine,
  object: EnumObject,
  action: Exclude<EnumAction, { k: 'rename' }>,
  session: SessionContext,
): EnumLabel[] | null {
  const { labels } = object.type;
  if (action.k === 'add_value') return added(engine, object, action, session);
  const { from, to } = action;
  checkLabel(to);
  position(labels, from);
  if (labels.some(({ label }) => label === to)) throw taken(to);
  if (engine.replay === null) {
    checkNothingKept(engine, object);
    checkNowhereSaid(engine, object, from);
  }
  return labels.map((label) => (label.label === from ? { ...label, label: to } : label));
}

const taken = (label: string): SqlError => new SqlError('42710', `enum label "${label}" already exists`);

function position(labels: EnumLabel[], wanted: string): number {
  const at = labels.findIndex(({ label }) => label === wanted);
  if (at < 0) throw new SqlError('22023', `"${wanted}" is not an existing enum label`);
  return at;
}

function added(
  { catalog }: TidemarkEngine,
  { type: { name, labels } }: EnumObject,
  { label, ifNotExists, neighbour, after }: Extract<EnumAction, { k: 'add_value' }>,
  session: SessionContext,
): EnumLabel[] | null {
  checkLabel(label);
  if (labels.some((other) => other.label === label)) {
    if (!ifNotExists) throw taken(label);
    session.notice('NOTICE', '42710', `enum label "${label}" already exists, skipping`);
    return null;
  }
  const at = neighbour === null ? labels.length : position(labels, neighbour) + (after ? 1 : 0);
  const value = between(labels[at - 1]?.value, labels[at]?.value, name);
  return [...labels.slice(0, at), { oid: catalog.newOid(), label, value }, ...labels.slice(at)];
}

/** A value for a label between two others; undefined: there is none on that side. */
export function between(before: number | undefined, behind: number | undefined, name: string): number {
  if (before === undefined && behind === undefined) return 0;
  const low = before ?? (behind as number) - 2 * GAP;
  const high = behind ?? low + 2 * GAP;
  const value = Math.floor((low + high) / 2);
  if (value === low || value > GREATEST || value < LEAST) throw tooMany(name);
  return value;
}

function tooMany(name: string): SqlError {
  return new SqlError('54000', `type "${name}" has no room for another label there`, {
    hint: 'Make another type with all labels in order, and ALTER the columns to it.',
  });
}
