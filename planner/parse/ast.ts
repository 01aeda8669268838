/**
 * Syntax tree of a statement. Queries and expressions are libpg-query's JSON nodes as Postgres's own parser makes them (`PgNode`):
 * the binder reads those directly. Streaming statements, which Postgres's grammar does not know, have shapes of their own.
 */

/** A node of libpg-query: an object with exactly one key, the node's type name, e.g. { SelectStmt: {...} }. */
// biome-ignore lint/suspicious/noExplicitAny: the tree's shape is Postgres's, some 250 node types read field by field.
export type PgNode = Record<string, any>;

/** The content of a SelectStmt node, with the text it came from (positions in nodes are byte offsets into it). */
export interface SelectNode {
  select: PgNode;
  /** Text of the whole statement, for error positions and for printing. */
  text: string;
  emitOnWindowClose?: boolean;
}

export interface ColumnDef {
  name: string;
  /** libpg-query TypeName node. */
  type: PgNode;
  notNull: boolean;
  primaryKey: boolean;
  default: PgNode | null;
  location: number;
}

export interface Option {
  name: string;
  value: string;
  location: number;
}

export type IncludeKind = 'key' | 'partition' | 'offset' | 'timestamp' | 'headers';

/** Every statement carries `text`: its own source text; and `offset`: where that text starts (characters) in what the client sent. */
export type Statement = { text: string; offset: number } & (
  | { k: 'select'; query: SelectNode }
  | { k: 'insert'; node: PgNode }
  | { k: 'update'; node: PgNode }
  | { k: 'delete'; node: PgNode }
  | { k: 'copy'; node: PgNode; subscribe: SubscribeStatement | null }
  | {
      k: 'create_relation';
      kind: 'table' | 'stream';
      schema?: string;
      name: string;
      ifNotExists: boolean;
      columns: ColumnDef[];
      primaryKey: string[] | null;
      watermark: { column: string; delay: PgNode; location: number } | null;
      include: { kind: IncludeKind; as: string }[];
      options: Option[];
      temporary: boolean;
      /** CREATE TABLE AS. */
      asQuery: SelectNode | null;
    }
  | {
      k: 'create_view';
      materialized: boolean;
      orReplace: boolean;
      ifNotExists: boolean;
      schema?: string;
      name: string;
      columnNames: string[];
      query: SelectNode;
      options: Option[];
    }
  | { k: 'create_index'; ifNotExists: boolean; name: string | null; schema?: string; relation: string; columns: PgNode[]; unique: boolean }
  | {
      k: 'create_sink';
      ifNotExists: boolean;
      schema?: string;
      name: string;
      from: { schema?: string; name: string } | null;
      query: SelectNode | null;
      options: Option[];
    }
  | {
      k: 'drop';
      kind: 'table' | 'stream' | 'view' | 'materialized_view' | 'index' | 'sink' | 'subscription' | 'schema' | 'source';
      names: { schema?: string; name: string; location: number }[];
      ifExists: boolean;
      cascade: boolean;
    }
  | { k: 'create_schema'; name: string; ifNotExists: boolean }
  | { k: 'truncate'; names: { schema?: string; name: string }[] }
  | SubscribeStatement
  | { k: 'explain'; inner: Statement; analyze: boolean; options: Option[] }
  | { k: 'declare_cursor'; name: string; query: SelectNode | SubscribeStatement; binary: boolean; scroll: boolean; hold: boolean }
  | { k: 'fetch'; name: string; count: number | 'all'; direction: 'forward' | 'backward' | 'absolute' | 'relative'; move: boolean; options: Option[] }
  | { k: 'close'; name: string | null }
  | { k: 'set'; name: string; values: (string | number)[] | null; local: boolean; timezoneInterval?: PgNode }
  | { k: 'show'; name: string }
  | { k: 'reset'; name: string | null }
  | { k: 'transaction'; kind: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback_to'; name?: string; options: Record<string, string> }
  | { k: 'prepare'; name: string; types: PgNode[]; inner: Statement }
  | { k: 'execute'; name: string; args: PgNode[] }
  | { k: 'deallocate'; name: string | null }
  | { k: 'discard'; what: 'all' | 'plans' | 'sequences' | 'temp' }
  | { k: 'listen' | 'unlisten'; channel: string | null }
  | { k: 'notify'; channel: string; payload: string }
  /** VACUUM, ANALYZE, LOCK, FLUSH, COMMENT, GRANT, ...: accepted where harmless; `tag` is the command tag. */
  | { k: 'utility'; tag: string; node: PgNode }
);

export interface SubscribeStatement {
  k: 'subscribe';
  /** Set to the statement's own text and offset, as in Statement. */
  text: string;
  offset: number;
  target: { relation: { schema?: string; name: string; location: number } } | { query: SelectNode };
  snapshot: boolean;
  progress: boolean;
  asOf: bigint | null;
  upTo: bigint | null;
}
