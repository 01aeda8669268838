/**
 * State of binding. `Shared` is one per statement; a `Level` is one per query level (SELECT), linked to the level it is nested in.
 *
 *   SELECT ... (SELECT ... FROM u WHERE u.x = t.y) FROM t
 *   level 0: namespace [t]          level 1: parent = level 0, namespace [u]
 *
 * An expression cannot hold an aggregate, window function, set-returning function or subquery inside: each becomes a column
 * reference to a fresh id, and the level keeps what that id stands for (`aggregates`, `windows`, `setFunctions`, `subqueries`)
 * until the SELECT is put together.
 */
import { SqlError, type SqlErrorFields } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, typeObjectOid } from '../../operators/types.ts';
import type { Relation } from '../catalog_reader.ts';
import { structureText } from '../logical/expressions.ts';
import type { Col, Logical, LogicalAggregate, LogicalWindow, OrderItem } from '../logical/plan.ts';
import type { PgNode, SeenRelation } from '../parse/ast.ts';
import { characterPosition } from '../parse/positions.ts';
import type { PgProc } from '../types/catalog.ts';
import { resolveTypeName } from '../types/type_name.ts';
import type { Clause } from './clause.ts';
import type { BindEnv, BoundModification } from './env.ts';

/** Names and types of a record's fields. */
export interface Shape {
  names: string[];
  types: ColType[];
  /** Set for the whole row of a FROM item: its name. */
  table?: string;
}

export interface Origin {
  relation: number;
  attnum: number;
}

/** What the binder knows about a column id beyond its type. */
export interface ColumnInfo {
  /** The query level whose FROM, aggregates, ... made the column. */
  level: Level;
  kind: 'from' | 'aggregate' | 'window' | 'set' | 'subquery';
  /** `t.x`, as errors about grouping name it. */
  label: string;
  /** FROM item it came from; columns of one item have the same object. */
  item?: NamespaceItem;
  origin?: Origin;
  shape?: Shape;
}

export interface NamespaceColumn {
  name: string;
  expr: Expr;
  /** System columns and the like: named only, not part of `*`. */
  hidden?: boolean;
}

/** One name in FROM. */
export interface NamespaceItem {
  name: string;
  relation: Relation | null;
  /** The relation has no alias, so `schema.name.column` means it too. */
  qualified: boolean;
  columns: NamespaceColumn[];
  /** The name may qualify a column; unqualified columns are found in it. */
  relVisible: boolean;
  colsVisible: boolean;
  /** Seen only from LATERAL items so far; `lateralOk` false: not even from there (right or full join). */
  lateralOnly: boolean;
  lateralOk: boolean;
  /** A function that returns one plain value: the name alone means the value. */
  scalar?: boolean;
}

export interface Output {
  name: string;
  col: Col;
  origin?: Origin;
  shape?: Shape;
  /** Where its expression stands, for errors. */
  location?: number;
  /** Set while the column is an untyped literal or parameter: gives it a type. */
  retype?: (type: ColType) => void;
}

/** A bound SELECT, VALUES or set operation. */
export interface BoundSelect {
  /** May have more columns than `outputs` (sort columns). */
  plan: Logical;
  outputs: Output[];
  order: { id: number; desc: boolean; nullsFirst: boolean }[];
}

export interface SelectOptions {
  /** False: untyped literals of the select list stay untyped for the caller to type. */
  resolveUnknown: boolean;
  /** The caller wants `order` and its hidden columns. */
  keepOrder: boolean;
}

/** WITH item. */
export interface Cte {
  name: string;
  /** Null while its own query is being bound and it may not be used yet. */
  use: ((level: Level, location: number | undefined) => { plan: Logical; outputs: Output[] }) | null;
}

/** The function whose body a level is of, and what its parameters are here. */
export interface Callee {
  name: string;
  /** '' where one has none. */
  names: string[];
  values: Expr[];
  /** How often the body takes each. */
  uses: number[];
  /** What stands for them there. */
  taken: Set<Expr>;
}

export interface Subquery {
  out: Col;
  /** call: scalar, the body of a function, and `test` are the arguments; value: no subquery, the one expression of `test`, worked out once a row. */
  kind: 'scalar' | 'exists' | 'in' | 'call' | 'value';
  right: Logical;
  test: Expr[];
  fn: string[];
  all: boolean;
  /** Syntax without positions: two subqueries of one level with the same key mean the same. */
  key: string;
  location: number | undefined;
  grouped: boolean;
}

export interface SetFunction {
  fn: string;
  args: Expr[];
  cols: Col[];
  location: number | undefined;
}

export interface WindowUse {
  call: LogicalWindow;
  /** Index into the level's window definitions. */
  definition: number;
  location: number | undefined;
}

/** One statement's state. */
export class Shared {
  readonly env: BindEnv;
  readonly dependencies = new Set<number>();
  /** Types that users made and the statement names, and functions of theirs that it calls, as objects of the catalog. */
  readonly types = new Set<number>();
  readonly columns = new Map<number, ColumnInfo>();
  /** Byte offset of the token an expression came from. */
  readonly locations = new WeakMap<Expr, number>();
  readonly shapes = new WeakMap<Expr, Shape>();
  /** Untyped literals and their nodes, where somebody asks. */
  readonly literals = new WeakMap<Expr, PgNode>();
  /** First output name of each bound subquery node, for naming the column of a scalar subquery. */
  readonly subqueryNames = new WeakMap<object, string>();
  readonly binders: Binders;
  /** AS OF of the relations the statement reads. */
  asOf: Expr | null = null;
  /** Functions whose bodies are being bound, outermost first. */
  readonly calls: PgProc[] = [];
  /** The outermost of them is the statement's own: its body is that which is bound. */
  ownBody = false;
  /** The statement's text, which variables are names in. */
  ownText: string | undefined;
  /**
   * Plans of items of WITH that read no outer query, and in a read call no volatile function: those that refer to them need not look into them again, or a
   * chain of n items would be walked n times.
   */
  readonly settled = new Set<Logical>();
  /** The modifying items of WITH, in order. */
  readonly modifying: BoundModification[] = [];
  /** The plain view whose text is being bound; null: the statement's own. */
  view: Relation | null = null;
  private nextColumn = 1;

  constructor(env: BindEnv, binders: Binders) {
    this.env = env;
    this.binders = binders;
  }

  newCol(name: string, type: ColType): Col {
    return { id: this.nextColumn++, name, type };
  }

  /** Notes `relation AS OF e`: one statement reads one moment. */
  readAsOf(level: Level, node: PgNode, location: number): void {
    if (this.env.allowAsOf !== true) throw level.unsupported('reading AS OF another tick', location);
    const expr = level.bindIn('option', node);
    if (this.asOf && structureText(this.asOf) !== structureText(expr)) {
      throw level.error('0A000', 'reading at two different times in one statement is not supported', location);
    }
    this.asOf = expr;
  }

  /** Recursions, items that are worked out once and columns share one space of ids. */
  newId(): number {
    return this.nextColumn++;
  }
}

/** The entry points that nodes use to bind what is nested in them. */
export interface Binders {
  expression(level: Level, node: PgNode): Expr;
  select(level: Level, stmt: PgNode, options: SelectOptions): BoundSelect;
  /** { InsertStmt }, { UpdateStmt }, { DeleteStmt } or { MergeStmt }. */
  modification(level: Level, stmt: PgNode): BoundModification;
}

export class Level {
  readonly shared: Shared;
  readonly parent: Level | null;
  readonly depth: number;
  /** The text that locations of this level's nodes point into. */
  readonly text: string;
  /** Relations whose columns were altered since the text was written. */
  readonly seen: SeenRelation[];
  /** Null outside of a function's body. */
  readonly callee: Callee | null;
  clause: Clause = 'none';
  /** What expressions see now. */
  namespace: NamespaceItem[] = [];
  /** Every item of FROM so far, seen or not: for error texts. */
  readonly entries: NamespaceItem[] = [];
  /** Order of the rows of FROM when that is a single ordered subquery: aggregates that show order take it. */
  inputOrder: OrderItem[] = [];
  lateralActive = false;
  readonly ctes = new Map<string, Cte>();
  /** `direct`: the arguments are those of an ordered-set aggregate, evaluated once a group. */
  readonly aggregates: { call: LogicalAggregate; direct: boolean; location: number | undefined }[] = [];
  readonly grouping: { out: Col; args: Expr[]; location: number | undefined }[] = [];
  readonly windows: WindowUse[] = [];
  readonly windowDefinitions: PgNode[] = [];
  readonly setFunctions = new Map<number, SetFunction>();
  readonly subqueries = new Map<number, Subquery>();
  /** What merge_action() means in RETURNING. */
  mergeAction: Col | null = null;

  constructor(
    shared: Shared,
    parent: Level | null,
    text: string,
    seen: SeenRelation[] = [],
    callee: Callee | null = null,
  ) {
    this.shared = shared;
    shared.ownText ??= text;
    this.callee = callee;
    this.parent = parent;
    this.depth = parent ? parent.depth + 1 : 0;
    this.text = text;
    this.seen = seen;
  }

  /** A level nested in this one, over the same text. */
  nested(): Level {
    return new Level(this.shared, this, this.text, this.seen, this.callee);
  }

  /** A level of its own over another text (a DEFAULT expression, say). */
  withText(text: string): Level {
    return new Level(this.shared, null, text);
  }

  /** Binds an expression node at this level. */
  bind(node: PgNode): Expr {
    return this.shared.binders.expression(this, node);
  }

  /** Binds an expression node as a part of `clause`. */
  bindIn(clause: Clause, node: PgNode): Expr {
    return this.inClause(clause, () => this.bind(node));
  }

  inClause<T>(clause: Clause, body: () => T): T {
    const saved = this.clause;
    this.clause = clause;
    try {
      return body();
    } finally {
      this.clause = saved;
    }
  }

  /** A fresh column owned by this level. */
  newCol(name: string, type: ColType, info: Omit<ColumnInfo, 'level'>): Col {
    const col = this.shared.newCol(name, type);
    this.own(col, info);
    return col;
  }

  own(col: Col, info: Omit<ColumnInfo, 'level'>): void {
    this.shared.columns.set(col.id, { ...info, level: this });
  }

  /** 1-based character position of a node's location, undefined where there is none. */
  position(location: number | undefined): number | undefined {
    return location === undefined || location < 0 ? undefined : characterPosition(this.text, location);
  }

  error(sqlstate: string, message: string, location?: number, fields: SqlErrorFields = {}): SqlError {
    return new SqlError(sqlstate, message, { ...fields, position: this.position(location) });
  }

  /** A feature that is missing: 0A000. */
  unsupported(what: string, location?: number): SqlError {
    return this.error('0A000', `${what} is not supported`, location);
  }

  /** Notes where an expression came from. */
  at<E extends Expr>(expr: E, location: number | undefined): E {
    if (location !== undefined && location >= 0) this.shared.locations.set(expr, location);
    return expr;
  }

  /** Runs `body`; an SqlError without a position gets this one. */
  locate<T>(location: number | undefined | (() => number | undefined), body: () => T): T {
    try {
      return body();
    } catch (e) {
      if (!(e instanceof SqlError) || e.fields.position !== undefined) throw e;
      const position = this.position(typeof location === 'function' ? location() : location);
      if (position === undefined) throw e;
      throw new SqlError(e.sqlstate, e.message, { ...e.fields, position });
    }
  }

  /** Whether the text is the statement's: not that of a view, a function or an expression of a table. */
  get isOwn(): boolean {
    return this.callee === null && this.text === this.shared.ownText;
  }

  /** Whether the text is that of a function which the statement calls. */
  get isForeign(): boolean {
    return this.callee !== null && this.shared.calls.length > (this.shared.ownBody ? 1 : 0);
  }

  /** The type that a TypeName node means. */
  typeNamed(node: PgNode, location: number | undefined): ColType {
    return this.locate(location, () => resolveTypeName(node, (schema, name) => this.userType(schema, name)));
  }

  /** pg_type.oid of a type that a user made, which the statement needs then; 0 when there is none. */
  userType(schema: string | undefined, name: string): number {
    const { env, types } = this.shared;
    const type = env.catalog.typeNamed(schema, name);
    if (type !== 0) types.add(typeObjectOid(type));
    return type;
  }

  cte(name: string): Cte | undefined {
    return this.ctes.get(name) ?? this.parent?.cte(name);
  }
}

/** A reference to a column. */
export function colRef(col: Col): Expr & { k: 'col' } {
  return { k: 'col', id: col.id, t: col.type };
}
