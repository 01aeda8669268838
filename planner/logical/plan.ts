/**
 * The logical plan: what the binder builds and the rewrite rules transform.
 *
 * Columns have plan-wide ids, so that moving a node never renumbers anything and a correlated reference is simply an id that
 * the subtree does not produce. Expressions are operators/expr/ir.ts with `col.id` = column id.
 *
 *   Get Values Filter Project Join Apply Aggregate Window Distinct SetOp TopN TableFunction TimeWindow Recursive ...
 *
 * Bag semantics: a plan denotes a Z-set of rows.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { JoinKind, WindowFrame } from '../../operators/plan.ts';
import type { ColType } from '../../operators/types.ts';
import type { Relation } from '../catalog_reader.ts';

export interface Col {
  id: number;
  name: string;
  type: ColType;
}

export interface OrderItem {
  expr: Expr;
  desc: boolean;
  nullsFirst: boolean;
}

export interface LogicalAggregate {
  out: Col;
  /** regprocedure text, see operators/plan.ts AggCall. */
  fn: string;
  args: Expr[];
  distinct: boolean;
  filter: Expr | null;
  orderBy: OrderItem[];
}

export interface LogicalWindow {
  out: Col;
  fn: string;
  args: Expr[];
  filter: Expr | null;
  aggregate: boolean;
  partition: Expr[];
  order: OrderItem[];
  frame: WindowFrame;
}

/** An item of WITH that is worked out once whatever refers to it, as it calls a volatile function. Takes no columns from outside. */
export interface OnceItem {
  /** The same in all parts of a statement. */
  id: number;
  plan: Logical;
  /** The columns of `plan` that the item has, in order. */
  outputs: Col[];
}

export type Logical =
  /** `cols[i]` is column `columns[i]` of the relation. */
  | { op: 'get'; relation: Relation; columns: number[]; cols: Col[] }
  /** `returned`: the rows are those that the statement's n-th modifying item of WITH returns, which are known when it has run. */
  | { op: 'values'; rows: Expr[][]; cols: Col[]; returned?: number }
  | { op: 'filter'; input: Logical; predicate: Expr }
  /** Output: exactly these columns (not the input's). */
  | { op: 'project'; input: Logical; items: { col: Col; expr: Expr }[] }
  | { op: 'join'; kind: JoinKind; left: Logical; right: Logical; on: Expr | null }
  /** A subquery or LATERAL item evaluated per row of `left`; `right` may use left's column ids. Removed by decorrelation.
   *  cross/left: LATERAL joins with `on`. scalar: left's columns plus `out` (NULL on no row, error 21000 on two).
   *  exists / in: a boolean column `out` is appended ( `in`: `test` compared by `fn` with right's columns, three-valued ). */
  | { op: 'apply'; kind: 'cross' | 'left'; left: Logical; right: Logical; on: Expr | null }
  | { op: 'apply'; kind: 'scalar'; left: Logical; right: Logical; out: Col }
  | { op: 'apply'; kind: 'exists'; left: Logical; right: Logical; out: Col }
  | { op: 'apply'; kind: 'in'; left: Logical; right: Logical; out: Col; test: Expr[]; fn: string[]; all: boolean }
  /** Output: keys' columns then aggregates'. groupingSets: lists of positions into keys; absent = one set of all keys.
   *  `grouping`: column that carries GROUPING() of the set, when the query asks for it. */
  | {
      op: 'aggregate';
      input: Logical;
      keys: { col: Col; expr: Expr }[];
      aggregates: LogicalAggregate[];
      groupingSets?: number[][];
      grouping?: { out: Col; keys: number[] }[];
    }
  /** Output: input's columns, then one per window call. */
  | { op: 'window'; input: Logical; windows: LogicalWindow[] }
  | { op: 'distinct'; input: Logical }
  | { op: 'setop'; kind: 'union' | 'except' | 'intersect'; all: boolean; left: Logical; right: Logical; cols: Col[] }
  /** ORDER BY .. LIMIT / OFFSET, DISTINCT ON (partition). Keeps input's columns. */
  | {
      op: 'topn';
      input: Logical;
      partition: Expr[];
      order: OrderItem[];
      limit: Expr | null;
      offset: Expr | null;
      withTies: boolean;
      /** Made from row_number() / rank() <= k: the number appended as a last column. */
      rank?: { out: Col; kind: 'row_number' | 'rank' | 'dense_rank' };
    }
  /** Set-returning function in FROM or in the select list: input's columns, then `cols` (and ordinality last).
   *  left: keep the input row with NULLs when the function returns no row. */
  | { op: 'tablefunc'; input: Logical; fn: string; args: Expr[]; cols: Col[]; ordinality: Col | null; left: boolean }
  /** TUMBLE, HOP, CUMULATE, SESSION in FROM. Sizes are microseconds. */
  | {
      op: 'timewindow';
      kind: 'tumble' | 'hop' | 'cumulate' | 'session';
      input: Logical;
      time: number;
      size: bigint;
      slide: bigint;
      offset: bigint;
      keys: number[];
      start: Col;
      end: Col;
    }
  | {
      op: 'asof';
      left: Logical;
      right: Logical;
      leftOuter: boolean;
      on: Expr;
      leftTime: number;
      rightTime: number;
      strict: boolean;
    }
  /** UNION [ALL] recursion: `step` reads the working table through a `working` node with the same id. */
  | { op: 'recursive'; id: number; base: Logical; step: Logical; all: boolean; cols: Col[] }
  | { op: 'working'; id: number; cols: Col[] }
  /** A reference to such an item: `cols[i]` is its output `columns[i]`. A leaf, so that no rule looks into the item: it is planned by itself. */
  | { op: 'once'; item: OnceItem; columns: number[]; cols: Col[] }
  /** Made by decorrelation: more than one row for one value of `keys` (column ids) is error 21000. */
  | { op: 'single_row'; input: Logical; keys: number[] }
  /** Made from now() predicates: keeps rows while now() is in [from, until), ids of timestamptz columns, null where open. */
  | { op: 'temporal'; input: Logical; from: number | null; until: number | null };

/** A bound query: the plan, its result columns in order, and the presentation order of a top-level ORDER BY. */
export interface BoundQuery {
  plan: Logical;
  /** Visible result columns; `origin` is set for plain columns of a relation (RowDescription's table OID and number). */
  columns: { col: Col; origin?: { relation: number; attnum: number } }[];
  /** Order in which rows leave a SELECT; ids are columns of plan (may be invisible ones). Applied at delivery, not maintained. */
  order: { id: number; desc: boolean; nullsFirst: boolean }[];
  /** Relations (OIDs) the query reads, plain views included. */
  dependencies: number[];
  /** Types and functions that users made (OIDs of the catalog's objects) and the query names. */
  types: number[];
  /** Final type of each $n. */
  parameters: number[];
  emitOnWindowClose: boolean;
  /** `relation AS OF e`: the tick (or timestamp) the statement reads, a constant or parameter. */
  asOf?: Expr;
}
