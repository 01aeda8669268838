/** Named objects: what CREATE makes and DROP takes away. */
import type { DomainCondition, DomainType } from '../../operators/expr/domain_types.ts';
import type { EnumType } from '../../operators/expr/enum_types.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { IndexShape, Relation } from '../../planner/catalog_reader.ts';
import type { PgNode, ReferentialAction, SelectNode } from '../../planner/parse/ast.ts';
import type { PhysicalQuery } from '../../planner/physical/index.ts';
import type { PgProc } from '../../planner/types/catalog.ts';
import type { DecoderSpec } from '../formats/format.ts';
import type { Acl } from './privileges.ts';

/** Where a stream's or keyed table's rows come from. */
export interface ConnectorSpec {
  connector: string;
  options: Record<string, string>;
  decoder: DecoderSpec;
  envelope: 'append' | 'upsert';
}

export interface ColumnDefault {
  /** Sequences in it are named by their OIDs, so that it means the same under any search path and after they are renamed. */
  node: PgNode;
  text: string;
  /** OIDs of these sequences. */
  sequences: number[];
  /** OIDs of functions of users that it calls. */
  functions?: number[];
}

interface ObjectBase {
  oid: number;
  schema: string;
  name: string;
  /** The statement that made the object, with the names that relations have now; for showing. */
  sql: string;
  /** OIDs of the relations it reads. */
  dependencies: number[];
  /** What COMMENT ON said; undefined: nothing yet. */
  comments?: Comments;
  /** OID of the role that has it; undefined: the bootstrap superuser. An index and a sequence of a column are their table's. */
  ownedBy?: number;
  /** Who was given what; undefined: what the kind has by default. */
  acl?: Acl;
}

/**
 * What a comment is on: the object itself; of a relation a column or its NOT NULL (its position), a CHECK or FOREIGN KEY (its number), the primary key or the index of that; of an
 * index the constraint that it serves.
 */
export type CommentedPart =
  | 'object'
  | `column ${number}`
  | `not null ${number}`
  | `constraint ${number}`
  | 'primary key'
  | 'primary index'
  | 'constraint';

/** What an object that replaces another has of it. */
export type Inherited = Pick<ObjectBase, 'comments' | 'ownedBy' | 'acl'> & Replacing;

export type Comments = { [part in CommentedPart]?: string };

/** An expression in brackets, as it was written. */
export interface Written {
  /** Without brackets around all of it. */
  text: string;
  /** It is shown in brackets. */
  compound: boolean;
  /** OIDs of functions of users that it calls, and that these call. */
  functions?: number[];
}

/** GENERATED ALWAYS AS (...) STORED or VIRTUAL. */
export interface GeneratedColumn extends Written {
  column: number;
  /** As it is shown; its values are stored. */
  virtual: boolean;
  /** Over the positions of the table's columns. */
  expr: Expr;
}

/** CHECK (...). */
export interface CheckConstraint extends Written {
  /** Its number among those that the table has had: its OID is made of it. */
  number: number;
  name: string;
  /** Over the positions of the table's columns. */
  expr: Expr;
  /** False: rows of before may break it. */
  valid: boolean;
  noInherit: boolean;
  /** The tick at which it was added. */
  since: bigint;
}

/** FOREIGN KEY (...) REFERENCES. */
export interface ForeignKey {
  /** Its number among those and the CHECK constraints that the table has had: its OID is made of it. */
  number: number;
  name: string;
  /** Positions of the table's columns, and of those of the other table that they are the key of. */
  columns: number[];
  /** OID of the other table, or of the table itself. */
  references: number;
  referenced: number[];
  onUpdate: ReferentialAction;
  onDelete: ReferentialAction;
  /** Positions of what ON DELETE SET NULL or SET DEFAULT sets. */
  setColumns: number[];
  full: boolean;
  deferrable: boolean;
  initiallyDeferred: boolean;
  /** False: rows of before may break it. */
  valid: boolean;
  /** The tick at which it was added. */
  since: bigint;
}

export interface RelationObject extends ObjectBase {
  kind: 'table' | 'stream';
  /** How long its changes are kept, as it was said; undefined: the default. */
  retention: string | undefined;
  relation: Relation;
  defaults: (ColumnDefault | null)[];
  /** By name. */
  checks: CheckConstraint[];
  generated: GeneratedColumn[];
  /** By name. */
  foreignKeys: ForeignKey[];
  source: ConnectorSpec | null;
  /** ON COMMIT DELETE ROWS: each transaction has its own rows, none has those of another. */
  emptied?: true;
  /** OIDs of indexes that went with a column: the statements that made them go with the table. */
  lostIndexes?: number[];
}

export function isTable(object: CatalogObject | undefined): object is RelationObject {
  return object?.kind === 'table';
}

/** What CREATE OR REPLACE has made in a transaction has the OID of what it replaced with the COMMIT, or will. */
interface Replacing {
  replaces?: number;
}

export interface ViewObject extends ObjectBase, Replacing {
  kind: 'view';
  relation: Relation;
  query: SelectNode;
}

export interface MaterializedViewObject extends ObjectBase {
  kind: 'materialized_view';
  /** How long its changes are kept, as it was said; undefined: the default. */
  retention: string | undefined;
  relation: Relation;
  query: SelectNode;
  physical: PhysicalQuery;
}

export interface IndexObject extends ObjectBase {
  kind: 'index';
  /** OID of the indexed relation, and its column positions; where expressions or a condition are part of it, all that it reads. */
  on: number;
  columns: number[];
  computed?: ComputedIndexText;
  unique: boolean;
  /** NULLS NOT DISTINCT. */
  nullsEqual?: boolean;
  /** Undefined: as CREATE INDEX ON t (a, b) says. */
  words?: IndexWords;
  /** It is that of a UNIQUE constraint. */
  constraint: boolean;
}

/** What CREATE INDEX says that has no meaning for the rows that are found; it is shown again. */
export interface IndexWords {
  /** Name of the access method. */
  method: string;
  /** For each key. */
  keys: KeyWords[];
  /** Positions of the columns of INCLUDE. */
  include: number[];
  /** WITH. */
  options: { name: string; value: string }[];
}

export interface KeyWords {
  /** Names; null: the type's own. */
  collation: string | null;
  opclass: string | null;
  descending: boolean;
  nullsFirst: boolean;
}

/** An expression that an index is over. */
export interface IndexPart extends Written {
  /** That of the index's column. */
  name: string;
  /** A call of a function: it is shown without brackets of its own. */
  call: boolean;
}

/** An index over expressions, or over a part of the rows. */
export interface ComputedIndexText {
  shape: IndexShape;
  /** Its keys: columns' positions, or expressions. */
  parts: (number | IndexPart)[];
  where: Written | null;
}

/** What a sequence counts, and how. */
export interface SequenceParameters {
  /** OID of int2, int4 or int8. */
  type: number;
  start: bigint;
  increment: bigint;
  min: bigint;
  max: bigint;
  /** Shown; values are given one by one. */
  cache: bigint;
  cycle: boolean;
}

export interface SequenceObject extends ObjectBase {
  kind: 'sequence';
  /** What SELECT ... FROM it sees. */
  relation: Relation;
  parameters: SequenceParameters;
  /** The column (its position) that it goes with; `dependencies` has the table. */
  owner: { table: number; column: number } | null;
}

export interface SinkObject extends ObjectBase {
  kind: 'sink';
  options: Record<string, string>;
  /** What a later server of the same data directory goes on with the sink under: no other sink ever has it. */
  identity: string;
  /** Types and names of the rows written. */
  physical: PhysicalQuery;
}

export interface SubscriptionObject extends ObjectBase {
  kind: 'subscription';
  /** OID of the relation whose changes it gives; its own when it is for a query, whose rows it keeps then. */
  follows: number;
  /** The query that it keeps up to date; undefined when it follows a relation. */
  physical: PhysicalQuery | undefined;
  /** How long the changes are kept for it, as it was said; undefined: the default. */
  retention: string | undefined;
  progress: boolean;
}

/** CHECK (...) of a domain: over VALUE, which is column 0. */
export interface DomainCheck extends Written, DomainCondition {
  /** Its number among those that the domain has had: its OID is made of it. */
  number: number;
  /** False: rows of before may break it. */
  valid: boolean;
}

export interface Domain extends DomainType<DomainCheck> {
  default: ColumnDefault | null;
  /** The tick at which it last got something that values must fit. */
  since: bigint;
}

/** A type that a user made. Its OID in pg_type is made of the object's (userTypeOid). */
export interface TypeObject extends ObjectBase {
  kind: 'type';
  type: EnumType | Domain;
}

export interface DomainObject extends TypeObject {
  type: Domain;
}

export interface EnumObject extends TypeObject {
  type: EnumType;
}

/** A function in SQL. */
export interface FunctionObject extends ObjectBase, Replacing {
  kind: 'function';
  proc: PgProc;
  /** What stands in AS '...', or a body as the standard has it, from RETURN or BEGIN ATOMIC on. */
  source: string;
  standard: boolean;
  leakproof: boolean;
  parallel: 's' | 'r' | 'u';
  cost: number;
  rows: number;
}

export function isDomain(object: CatalogObject | undefined): object is DomainObject {
  return object?.kind === 'type' && !('labels' in object.type);
}

/** What CREATE EXTENSION makes: its functions are found then, in its schema. */
export interface ExtensionObject extends ObjectBase {
  kind: 'extension';
}

/** Relations whose changes replication gives. Those that were dropped are left out where it is read. */
export interface PublicationObject extends ObjectBase {
  kind: 'publication';
  all: boolean;
  /** OIDs. */
  tables: number[];
  schemas: number[];
  publish: Publish;
}

export interface Publish {
  insert: boolean;
  update: boolean;
  delete: boolean;
  truncate: boolean;
}

/** How far a client of replication is: its position is among those of subscriptions. */
export interface SlotObject extends ObjectBase {
  kind: 'slot';
}

export type CatalogObject =
  | ExtensionObject
  | PublicationObject
  | SlotObject
  | TypeObject
  | FunctionObject
  | SubscriptionObject
  | RelationObject
  | ViewObject
  | MaterializedViewObject
  | IndexObject
  | SequenceObject
  | SinkObject;
export type ObjectKind = CatalogObject['kind'];

/** What messages and DROP call an object of this kind. */
export const KIND_NAMES: Record<ObjectKind, string> = {
  table: 'table',
  stream: 'stream',
  view: 'view',
  materialized_view: 'materialized view',
  index: 'index',
  sequence: 'sequence',
  sink: 'sink',
  subscription: 'subscription',
  type: 'type',
  function: 'function',
  extension: 'extension',
  publication: 'publication',
  slot: 'replication slot',
};
