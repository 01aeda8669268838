/** What the planner may ask of the catalog. The server implements it (src/catalog); tests implement it in memory. */
import type { Expr } from '../operators/expr/ir.ts';
import type { ColType } from '../operators/types.ts';
import type { Monotone } from './analyse/facts.ts';
import type { SelectNode } from './parse/ast.ts';
import type { PgProc } from './types/catalog.ts';

export type RelationKind = 'table' | 'stream' | 'view' | 'materialized_view' | 'index' | 'sink' | 'sequence' | 'system';

export interface RelationColumn {
  name: string;
  type: ColType;
  notNull: boolean;
  /** GENERATED AS IDENTITY: ALWAYS or BY DEFAULT. */
  identity?: 'a' | 'd';
  /** It was dropped: rows keep its place, so that positions in plans stay; it has no name then. */
  dropped?: true;
  /** GENERATED ALWAYS AS (...) STORED: computed when the row is written. */
  generated?: true;
}

export interface Relation {
  /** Stable OID: what pg_class.oid shows and what plans name. */
  oid: number;
  schema: string;
  name: string;
  kind: RelationKind;
  columns: RelationColumn[];
  /** Column positions of the primary key (tables) or of a proved key (views); null when there is none. */
  key: number[] | null;
  /** True when rows are never retracted: local and Kafka append streams, append-only views. */
  appendOnly: boolean;
  /** Event-time column position and its bound in microseconds, for streams with a WATERMARK. */
  watermark?: { column: number; delay: bigint };
  /** Per column of a materialized view: which watermark of the streams below it follows. */
  monotone?: (Monotone | null)[];
  /** Body of a plain view: expanded by the binder at use. */
  query?: SelectNode;
  /** Column positions of each index a point lookup can use. */
  indexes: number[][];
  /** Its other indexes: over expressions, or over a part of the rows. */
  computed?: IndexShape[];
}

/** An index over expressions, or over a part of the rows. All of it is immutable, over the positions of the relation's columns. */
export interface IndexShape {
  /** OID of the index. */
  oid: number;
  keys: Expr[];
  /** Rows for which this is not true are not in it; null: all are. */
  where: Expr | null;
}

export interface UniqueKey {
  /** Those that it is over; where it has a shape, all that this reads. */
  columns: number[];
  shape?: IndexShape;
  /** Its keys in words, where they are not the columns. */
  parts?: string[];
  /** NULLS NOT DISTINCT: two rows must not have NULL in common, either. */
  nullsEqual?: boolean;
  name: string;
  /** False: that of a unique index. */
  isConstraint: boolean;
}

export interface CatalogReader {
  /** A relation by name; `schema` undefined means the search path. Null when there is none. */
  relation(schema: string | undefined, name: string): Relation | null;
  relationByOid(oid: number): Relation | null;
  /** What no two rows of a table may have in common: its primary key, its unique indexes. */
  uniqueKeys(relation: Relation): UniqueKey[];
  /** pg_type.oid of a type that a user made; `schema` undefined means the search path. 0 when there is none. */
  typeNamed(schema: string | undefined, name: string): number;
  /** Functions of users by name, in the order of the search path where `schema` is undefined. */
  functionsNamed?(schema: string | undefined, name: string): PgProc[];
  /** The object of an extension, and the schema of its functions; undefined when it is not there. Absent: none is. */
  extension?(name: string): { oid: number; schema: string } | undefined;
  /** A function relation such as tidemark.errors('v'): null when the name is none of these. */
  tableFunction?(schema: string | undefined, name: string, args: (string | null)[]): Relation | null;
}

/** Whether these are the columns of the key, in any order. */
export function hasColumns({ columns }: Pick<UniqueKey, 'columns'>, wanted: number[]): boolean {
  return new Set(wanted).size === columns.length && columns.every((c) => wanted.includes(c));
}

/** The primary key of a table as a unique key; none where there is none. */
export function primaryKeyOf(relation: Relation): UniqueKey[] {
  return relation.key === null ? [] : [{ columns: relation.key, name: `${relation.name}_pkey`, isConstraint: true }];
}

/** The columns that are there, in order. */
export function presentColumns({ columns }: Relation): { name: string; position: number }[] {
  return columns.flatMap(({ name, dropped }, position) => (dropped ? [] : [{ name, position }]));
}
