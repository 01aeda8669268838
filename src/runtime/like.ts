/**
 * CREATE TABLE (LIKE other INCLUDING ...): what of another relation's definition becomes the table's own, once; later changes of either are nobody else's.
 *
 *   columns, NOT NULL, identity, keys    as if the statement had said them
 *   defaults, CHECK, generated columns   as they were bound there, over the positions that the columns have here
 *   comments on columns                  as they are there
 */

import { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { declaredOid } from '../../operators/types.ts';
import { presentColumns, type Relation } from '../../planner/catalog_reader.ts';
import { rewriteExpr } from '../../planner/logical/expressions.ts';
import type {
  ColumnDef,
  KeyConstraint,
  LikeClause,
  PgNode,
  SequenceOptions,
  Statement,
} from '../../planner/parse/ast.ts';
import { parse } from '../../planner/parse/parse.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { CheckConstraint, ColumnDefault, Comments, GeneratedColumn, RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkRead } from './access.ts';
import type { CopiedIndex } from './create_index.ts';
import type { TidemarkEngine } from './engine.ts';
import { movedParts } from './index_parts.ts';
import { relationNamed } from './names.ts';
import { checkUnchanged } from './open_objects.ts';
import { identitySequence } from './owned_sequences.ts';

type CreateRelation = Extract<Statement, { k: 'create_relation' }>;

/** What is copied and not said by the statement. */
export interface Copied {
  /** By position. */
  defaults: Map<number, ColumnDefault>;
  generated: GeneratedColumn[];
  checks: CheckConstraint[];
  indexes: CopiedIndex[];
  /** On columns. */
  comments: Comments;
  /** OIDs of the relations. */
  reads: number[];
}

/** The statement with the columns and keys of the relations that it is like. */
export function withLikes(
  engine: TidemarkEngine,
  statement: CreateRelation,
  session: SessionContext,
): { statement: CreateRelation; copied: Copied } {
  const copied: Copied = {
    defaults: new Map(),
    generated: [],
    checks: [],
    indexes: [],
    comments: {},
    reads: [],
  };
  const columns = [...statement.columns];
  const unique = [...statement.unique];
  let { primaryKey } = statement;
  let more = 0;
  for (const like of statement.likes) {
    const named = relationNamed(engine, like.relation, session);
    checkRead(engine, named, session);
    const seen = engine.catalog.pending.asSeen(engine.catalog.get(named.oid), session.searchPath);
    const relation = seen !== undefined && 'relation' in seen ? seen.relation : named;
    const own = columnsLike(engine, relation, like);
    const first = like.at + more;
    columns.splice(first, 0, ...own);
    more += own.length;
    copied.reads.push(relation.oid);
    const places = new Map(presentColumns(relation).map(({ position }, i) => [position, first + i]));
    if (like.comments && seen !== undefined) {
      checkUnchanged(engine, `relation "${relation.name}"`, relation.oid, session);
      copyComments(seen.comments, places, copied);
    }
    if (seen === undefined || !('checks' in seen)) continue;
    copyExpressions(seen, like, places, copied);
    if (!like.indexes) continue;
    const names = (positions: number[]) => positions.map((position) => relation.columns[position].name);
    if (relation.key !== null) {
      if (primaryKey !== null) {
        throw new SqlError('42P16', `multiple primary keys for table "${statement.name}" are not allowed`);
      }
      primaryKey = names(relation.key);
    }
    unique.push(...indexesLike(engine, seen, names, places, copied));
  }
  return { statement: { ...statement, columns, unique, primaryKey }, copied };
}

function columnsLike(engine: TidemarkEngine, relation: Relation, { identity: including }: LikeClause): ColumnDef[] {
  return presentColumns(relation).map(({ position }) => {
    const { name, type, notNull, identity } = relation.columns[position];
    const sequence = including && identity !== undefined ? identitySequence(engine, relation, position) : null;
    return {
      name,
      type: typeNode(formatType(declaredOid(type), type.domain === undefined ? type.typmod : -1)),
      notNull,
      primaryKey: false,
      default: null,
      serial: false,
      identity: sequence === null ? null : { always: identity === 'a', options: optionsOf(sequence.parameters) },
      generated: null,
      location: -1,
    };
  });
}

function optionsOf({
  start,
  increment,
  min,
  max,
  cache,
  cycle,
}: Required<Omit<SequenceOptions, 'type' | 'restart' | 'ownedBy' | 'name'>>): SequenceOptions {
  return { start, increment, min, max, cache, cycle };
}

/** The TypeName node of a type as it is written. */
function typeNode(text: string): PgNode {
  const [statement] = parse(`SELECT NULL::${text}`);
  if (statement.k !== 'select') throw new Error(`no type: ${text}`);
  return statement.query.select.targetList[0].ResTarget.val.TypeCast.typeName;
}

function copyComments(comments: Comments | undefined, places: Map<number, number>, into: Copied): void {
  for (const [position, place] of places) {
    const said = comments?.[`column ${position}`];
    if (said !== undefined) into.comments[`column ${place}`] = said;
  }
}

function copyExpressions(
  { relation, defaults, generated, checks }: RelationObject,
  like: LikeClause,
  places: Map<number, number>,
  into: Copied,
): void {
  const moved = (expr: Expr) =>
    rewriteExpr(expr, (e) => (e.k === 'col' ? { ...e, id: places.get(e.id) as number } : e));
  const placeOf = (position: number) => places.get(position) as number;
  if (like.defaults) {
    for (const { position } of presentColumns(relation)) {
      const value = defaults[position];
      if (value !== null && relation.columns[position].identity === undefined)
        into.defaults.set(placeOf(position), value);
    }
  }
  if (like.generated)
    into.generated.push(...generated.map((g) => ({ ...g, column: placeOf(g.column), expr: moved(g.expr) })));
  if (like.constraints)
    into.checks.push(...checks.map((check) => ({ ...check, expr: moved(check.expr), valid: true })));
}

/** UNIQUE constraints; other indexes go to what is copied. */
function indexesLike(
  engine: TidemarkEngine,
  { oid }: RelationObject,
  names: (positions: number[]) => string[],
  places: Map<number, number>,
  into: Copied,
): KeyConstraint[] {
  return engine.catalog.objects().flatMap((object): KeyConstraint[] => {
    if (object.kind !== 'index' || object.on !== oid) return [];
    const { columns, computed, unique, nullsEqual = false, words } = object;
    if (object.constraint) return [{ name: null, columns: names(columns), nullsEqual, location: -1 }];
    const placeOf = (column: number) => places.get(column) as number;
    const partsFor = (oid: number) =>
      computed === undefined ? { columns: columns.map(placeOf) } : movedParts(computed, oid, placeOf);
    into.indexes.push({
      partsFor,
      unique,
      nullsEqual,
      words: words && { ...words, include: words.include.map(placeOf) },
    });
    return [];
  });
}
