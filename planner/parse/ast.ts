/**
 * Syntax tree of a statement. Queries and expressions are libpg-query's JSON nodes as Postgres's own parser makes them (`PgNode`):
 * the binder reads those directly. Streaming statements, which Postgres's grammar does not know, have shapes of their own.
 *
 * `node`, `select`, `inner` and the like hold the CONTENT of a node ({ targetList, ... }), lists inside them hold wrapped nodes
 * ({ ResTarget: {...} }), as libpg-query gives them. Fields with a zero value (0, false, '', empty list) are absent from the JSON.
 *
 * Forms that only the streaming dialect has are marks on Postgres's own nodes:
 *
 * | text                                  | what the binder sees                                                                  |
 * |---------------------------------------|---------------------------------------------------------------------------------------|
 * | a ASOF [LEFT] JOIN b ON q             | JoinExpr with `asof: true` (jointype JOIN_INNER or JOIN_LEFT, quals = q)              |
 * | b FOR SYSTEM_TIME AS OF e             | RangeVar with `systemTimeAsOf: PgNode` = e (a wrapped expression node)                |
 * | v AS OF e                             | RangeVar with `asOf: PgNode` = e (tick number, timestamp, string or parameter)        |
 * | TUMBLE(rel, col, size) and the like   | RangeFunction of a FuncCall named tumble, hop, session, cumulate (nothing is marked)  |
 * | query EMIT ON WINDOW CLOSE            | SelectNode.emitOnWindowClose                                                          |
 *
 * Positions in nodes (`location`) are byte offsets of the UTF-8 form of `text`; -1 or absent when unknown. Errors carry 1-based
 * character positions: positions.ts turns one into the other. An error raised by parse() counts from the start of what the client
 * sent; an error raised later counts from the start of the statement's `text`, and the session adds `offset` (withOffset).
 */
import type { RoleSpec, RoleStatement } from './role_statements.ts';

/** A node of libpg-query: an object with exactly one key, the node's type name, e.g. { SelectStmt: {...} }. */
// biome-ignore lint/suspicious/noExplicitAny: the tree's shape is Postgres's, some 250 node types read field by field.
export type PgNode = Record<string, any>;

/** The content of a SelectStmt node, with the text it came from (positions in nodes are byte offsets into it). */
export interface SelectNode {
  select: PgNode;
  /** Text of the whole statement, for error positions and for printing. */
  text: string;
  emitOnWindowClose?: boolean;
  /** Relations whose columns were altered since, as the query saw them. */
  seen?: SeenRelation[];
}

/** The columns of a relation (an OID) as a query names them. */
export interface SeenRelation {
  relation: number;
  columns: { name: string; position: number }[];
}

/** What is said of a sequence; what is absent keeps its default, or in an ALTER its value. */
export interface SequenceOptions {
  /** libpg-query TypeName node. */
  type?: PgNode;
  increment?: bigint;
  /** none: NO MINVALUE, NO MAXVALUE. */
  min?: bigint | 'none';
  max?: bigint | 'none';
  start?: bigint;
  restart?: bigint | 'start';
  cache?: bigint;
  cycle?: boolean;
  /** Parts of table.column, or the one word none. */
  ownedBy?: string[];
  /** SEQUENCE NAME, of identity columns. */
  name?: { schema?: string; name: string };
}

/** What the end of each transaction does with a temporary table: takes its rows away, or the table itself. */
export type OnCommit = 'delete' | 'drop';

/** A block in PL/pgSQL (plpgsql.ts). */
export interface PlpgsqlBody {
  /** PLpgSQL_var, PLpgSQL_rec, PLpgSQL_row or PLpgSQL_recfield, by number. */
  variables: PgNode[];
  block: PgNode;
}

export interface ColumnDef {
  name: string;
  /** libpg-query TypeName node. */
  type: PgNode;
  notNull: boolean;
  primaryKey: boolean;
  default: PgNode | null;
  /** The type was serial or one of its kin; `type` is what that stands for. */
  serial: boolean;
  identity: { always: boolean; options: SequenceOptions } | null;
  /** GENERATED ALWAYS AS (expr) STORED. */
  generated: { expr: PgNode; location: number; virtual: boolean } | null;
  location: number;
}

/** UNIQUE (columns); PRIMARY KEY of an ALTER TABLE. */
export interface KeyConstraint {
  /** null: it is named after its columns. */
  name: string | null;
  columns: string[];
  /** NULLS NOT DISTINCT. */
  nullsEqual: boolean;
  location: number;
}

/** CHECK (expr), of a column or a table. */
export interface CheckDef {
  /** null: it is named after its columns. */
  name: string | null;
  expr: PgNode;
  noInherit: boolean;
  /** Rows that are there already may break it. */
  notValid: boolean;
  location: number;
}

/** As PostgreSQL's catalog says it: a NO ACTION, r RESTRICT, c CASCADE, n SET NULL, d SET DEFAULT. */
export type ReferentialAction = 'a' | 'r' | 'c' | 'n' | 'd';

/** FOREIGN KEY (columns) REFERENCES table (columns), of a column or a table. */
export interface ForeignKeyDef {
  /** null: it is named after its columns. */
  name: string | null;
  columns: string[];
  references: { schema?: string; name: string };
  /** Empty: the primary key's. */
  referenced: string[];
  onUpdate: ReferentialAction;
  onDelete: ReferentialAction;
  /** What ON DELETE SET NULL or SET DEFAULT sets; empty: all of them. */
  setColumns: string[];
  /** MATCH FULL. */
  full: boolean;
  deferrable: boolean;
  initiallyDeferred: boolean;
  /** Rows that are there already may break it. */
  notValid: boolean;
}

/** LIKE other [INCLUDING ...], which stands for columns. */
export interface LikeClause {
  relation: { schema?: string; name: string };
  /** Its columns come behind so many of the table's own. */
  at: number;
  comments: boolean;
  constraints: boolean;
  defaults: boolean;
  generated: boolean;
  identity: boolean;
  indexes: boolean;
}

/** What changes the columns that the rows of a table have. */
export type ColumnAction =
  | {
      k: 'add_column';
      column: ColumnDef;
      ifNotExists: boolean;
      constraints: Extract<AlterAction, { k: 'add_key' | 'add_check' | 'add_foreign_key' }>[];
    }
  | { k: 'drop_column'; column: string; ifExists: boolean; cascade: boolean }
  /** `using`: null: the column's own value. */
  | { k: 'alter_type'; column: string; type: PgNode; using: PgNode | null };

export type AlterAction =
  | { k: 'rename'; to: string }
  | { k: 'set_schema'; schema: string }
  | { k: 'change_owner'; owner: RoleSpec }
  | { k: 'rename_column'; column: string; to: string }
  | { k: 'rename_constraint'; name: string; to: string }
  | ColumnAction
  | { k: 'add_key'; primary: boolean; key: KeyConstraint }
  | { k: 'add_check'; check: CheckDef }
  | { k: 'add_foreign_key'; foreignKey: ForeignKeyDef }
  | { k: 'drop_constraint'; name: string; ifExists: boolean; cascade: boolean }
  | { k: 'validate_constraint'; name: string; ifExists: boolean }
  | { k: 'set_not_null'; column: string; notNull: boolean }
  | { k: 'set_default'; column: string; value: PgNode | null }
  | { k: 'add_identity'; column: string; always: boolean; options: SequenceOptions }
  /** always null: it stays what it is. */
  | { k: 'set_identity'; column: string; always: boolean | null; options: SequenceOptions }
  | { k: 'drop_identity'; column: string; ifExists: boolean }
  /** OWNER TO, as there is one owner of everything; how PostgreSQL's disk and planner treat a table (SET STATISTICS, SET STORAGE, CLUSTER ON), which changes no result. */
  | { k: 'no_effect' };

/** A parameter of CREATE FUNCTION. */
export interface ParameterDef {
  /** '' where it has none. */
  name: string;
  /** i in, o out, b in and out, v variadic, t column of a table result. */
  mode: 'i' | 'o' | 'b' | 'v' | 't';
  type: PgNode;
  default: PgNode | null;
}

/** What CREATE and ALTER FUNCTION say of it; undefined: nothing. */
export interface FunctionAttributes {
  volatility?: 'i' | 's' | 'v';
  strict?: boolean;
  leakproof?: boolean;
  parallel?: 's' | 'r' | 'u';
  cost?: number;
  rows?: number;
}

/** A function as statements name it. */
export interface FunctionName {
  schema?: string;
  name: string;
  /** TypeNames of its input parameters; null: not said. */
  args: PgNode[] | null;
}

export type FunctionAction =
  | { k: 'rename'; to: string }
  | { k: 'set_schema'; schema: string }
  /** OWNER TO, as there is one owner of everything. */
  | ({ k: 'attributes' } & FunctionAttributes);

/** What ALTER TYPE does to an enum type. */
export type EnumAction =
  /** `neighbour`: null: behind all others. */
  | { k: 'add_value'; label: string; ifNotExists: boolean; neighbour: string | null; after: boolean }
  | { k: 'rename_value'; from: string; to: string }
  | { k: 'rename'; to: string };

/** What ALTER DOMAIN does. */
export type DomainAction =
  | { k: 'set_default'; value: PgNode | null }
  | { k: 'set_not_null'; notNull: boolean }
  | { k: 'add_check'; check: CheckDef }
  | { k: 'drop_constraint'; name: string; ifExists: boolean }
  | { k: 'validate_constraint'; name: string }
  | { k: 'rename_constraint'; name: string; to: string }
  | { k: 'rename'; to: string }
  | { k: 'set_schema'; schema: string };

export interface Option {
  name: string;
  value: string;
  location: number;
}

export type IncludeKind = 'key' | 'partition' | 'offset' | 'timestamp' | 'headers';

/** Every statement carries `text`: its own source text; and `offset`: where that text starts (characters, which are Unicode code
 *  points as PostgreSQL counts them) in what the client sent. */
export type Statement = { text: string; offset: number } & (
  | { k: 'select'; query: SelectNode }
  /** SELECT whose WITH has INSERT, UPDATE, DELETE or MERGE. */
  | { k: 'modifying_select'; query: SelectNode }
  | { k: 'insert'; node: PgNode }
  | { k: 'update'; node: PgNode }
  | { k: 'delete'; node: PgNode }
  | { k: 'merge'; node: PgNode }
  | { k: 'copy'; node: PgNode; subscribe: SubscribeStatement | null }
  | {
      k: 'create_relation';
      kind: 'table' | 'stream';
      schema?: string;
      name: string;
      ifNotExists: boolean;
      columns: ColumnDef[];
      primaryKey: string[] | null;
      unique: KeyConstraint[];
      checks: CheckDef[];
      foreignKeys: ForeignKeyDef[];
      likes: LikeClause[];
      watermark: { column: string; delay: PgNode; location: number } | null;
      include: { kind: IncludeKind; as: string }[];
      options: Option[];
      temporary: boolean;
      /** ON COMMIT DELETE ROWS, ON COMMIT DROP. */
      onCommit?: OnCommit;
      /** CREATE TABLE AS, SELECT INTO. */
      asQuery: SelectNode | null;
      /** Names given to the columns of asQuery. */
      columnNames?: string[];
      /** WITH NO DATA. */
      withNoData?: boolean;
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
      temporary?: boolean;
      /** WITH NO DATA. */
      withNoData?: boolean;
    }
  | {
      k: 'create_index';
      ifNotExists: boolean;
      name: string | null;
      schema?: string;
      relation: string;
      columns: PgNode[];
      where: PgNode | null;
      unique: boolean;
      nullsEqual: boolean;
      /** What USING names. */
      method: string;
      /** Of INCLUDE. */
      include: PgNode[];
      /** Of WITH. */
      options: Option[];
      /** Of the relation's name. */
      location: number;
    }
  | {
      k: 'alter_relation';
      /** The word after ALTER: TABLE stands for relations of every kind. */
      kind: 'table' | 'stream' | 'view' | 'materialized_view' | 'index' | 'sequence';
      schema?: string;
      name: string;
      ifExists: boolean;
      actions: AlterAction[];
    }
  | { k: 'create_enum'; schema?: string; name: string; labels: string[] }
  | {
      k: 'create_domain';
      schema?: string;
      name: string;
      /** libpg-query TypeName node. */
      type: PgNode;
      /** Parts of the name; null: the type's own. */
      collation: string[] | null;
      notNull: boolean;
      default: PgNode | null;
      checks: CheckDef[];
    }
  | { k: 'alter_domain'; schema?: string; name: string; action: DomainAction }
  | { k: 'alter_enum'; schema?: string; name: string; action: EnumAction }
  | ({
      k: 'create_function';
      orReplace: boolean;
      schema?: string;
      name: string;
      parameters: ParameterDef[];
      /** A TypeName; null: that of the OUT parameters. */
      returns: PgNode | null;
      language: string | null;
      /** AS '...', RETURN or BEGIN ATOMIC; null: none. */
      body: { source: string } | { statements: PgNode[]; text: string } | null;
    } & FunctionAttributes)
  | ({ k: 'alter_function'; action: FunctionAction } & FunctionName)
  | {
      k: 'create_sequence';
      schema?: string;
      name: string;
      ifNotExists: boolean;
      temporary: boolean;
      options: SequenceOptions;
    }
  | { k: 'alter_sequence'; schema?: string; name: string; ifExists: boolean; options: SequenceOptions }
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
      k: 'create_subscription';
      ifNotExists: boolean;
      schema?: string;
      name: string;
      target: SubscribeTarget;
      options: Option[];
    }
  /** ACKNOWLEDGE s UP TO tick. FETCH n FROM s is 'fetch'. */
  | { k: 'acknowledge'; schema?: string; name: string; upTo: bigint }
  | {
      k: 'drop';
      kind:
        | 'table'
        | 'stream'
        | 'view'
        | 'materialized_view'
        | 'index'
        | 'sequence'
        | 'type'
        | 'domain'
        | 'function'
        | 'sink'
        | 'subscription'
        | 'schema'
        | 'extension'
        | 'publication'
        | 'slot'
        | 'source';
      /** `args`: of functions. */
      names: { schema?: string; name: string; location: number; args?: PgNode[] | null }[];
      ifExists: boolean;
      cascade: boolean;
    }
  | ({ k: 'create_publication'; name: string; all: boolean; options: Option[] } & PublishedObjects)
  | ({
      k: 'alter_publication';
      name: string;
      action: 'add' | 'drop' | 'set' | 'options';
      options: Option[];
    } & PublishedObjects)
  | { k: 'create_slot'; name: string }
  | { k: 'create_extension'; name: string; schema?: string; version?: string; ifNotExists: boolean }
  | { k: 'create_schema'; name: string; ifNotExists: boolean; owner?: RoleSpec }
  | { k: 'comment'; on: CommentTarget; comment: string | null }
  | { k: 'truncate'; names: { schema?: string; name: string }[]; restartIdentity: boolean; cascade: boolean }
  | SubscribeStatement
  | { k: 'explain'; inner: Statement; analyze: boolean; options: Option[] }
  | {
      k: 'declare_cursor';
      name: string;
      query: SelectNode | SubscribeStatement;
      binary: boolean;
      scroll: boolean;
      noScroll: boolean;
      hold: boolean;
    }
  | {
      k: 'fetch';
      name: string;
      count: number | 'all';
      direction: 'forward' | 'backward' | 'absolute' | 'relative';
      move: boolean;
      options: Option[];
    }
  | { k: 'close'; name: string | null }
  /** values null: TO DEFAULT, the same as RESET. timezoneInterval: SET TIME ZONE INTERVAL '...'. */
  | { k: 'set'; name: string; values: (string | number)[] | null; local: boolean; timezoneInterval?: PgNode }
  | { k: 'show'; name: string }
  | { k: 'reset'; name: string | null }
  /** set: SET TRANSACTION; set_session: SET SESSION CHARACTERISTICS. Options are named as the settings they stand for
   *  (transaction_isolation, transaction_read_only, transaction_deferrable: 'on' | 'off'), plus chain ('on') and snapshot.
   *  `start`: the word was START TRANSACTION, which only changes the command tag. */
  | {
      k: 'transaction';
      kind: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback_to' | 'set' | 'set_session';
      name?: string;
      options: Record<string, string>;
      start?: boolean;
    }
  | { k: 'prepare'; name: string; types: PgNode[]; inner: Statement }
  | { k: 'execute'; name: string; args: PgNode[] }
  | { k: 'deallocate'; name: string | null }
  | { k: 'discard'; what: 'all' | 'plans' | 'sequences' | 'temp' }
  /** SET CONSTRAINTS; names null: ALL. */
  | { k: 'set_constraints'; names: { schema?: string; name: string }[] | null; deferred: boolean }
  | { k: 'listen' | 'unlisten'; channel: string | null }
  | { k: 'notify'; channel: string; payload: string }
  /** DO: a block in PL/pgSQL. */
  | { k: 'do'; body: PlpgsqlBody }
  | RoleStatement
  /** VACUUM, ANALYZE, LOCK, FLUSH, ...: accepted where harmless; `tag` is the command tag. */
  | { k: 'utility'; tag: string; node: PgNode }
);

/** What COMMENT ON is about; `schema` and `name` of a column or a constraint are its relation's. */
export type CommentTarget =
  | {
      kind: 'table' | 'view' | 'materialized_view' | 'index' | 'sequence' | 'type' | 'domain';
      schema?: string;
      name: string;
    }
  | { kind: 'column'; schema?: string; name: string; column: string }
  | { kind: 'constraint'; schema?: string; name: string; constraint: string }
  | { kind: 'domain_constraint'; schema?: string; name: string; constraint: string }
  | ({ kind: 'function' } & FunctionName)
  | { kind: 'extension'; name: string }
  | { kind: 'schema'; name: string };

export interface PublishedObjects {
  tables: { schema?: string; name: string; location: number }[];
  schemas: string[];
}

export type SubscribeTarget = { relation: { schema?: string; name: string; location: number } } | { query: SelectNode };

export interface SubscribeStatement {
  k: 'subscribe';
  /** Set to the statement's own text and offset, as in Statement. */
  text: string;
  offset: number;
  target: SubscribeTarget;
  snapshot: boolean;
  progress: boolean;
  asOf: bigint | null;
  upTo: bigint | null;
}
