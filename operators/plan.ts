/**
 * The dataflow plan: what the planner's physical stage produces and build.ts turns into operators. Plain data.
 *
 * A plan is a DAG of nodes; `inputs` are indexes of earlier nodes, so `nodes` is in topological order and a subplan that is used
 * twice appears once. Columns are positions. Every node lists the types of its output columns.
 * A relation is a Z-set: each row has an integer weight (a batch column of its own, not one of `types`).
 */
import type { Datum } from './datum.ts';
import type { Expr } from './expr/ir.ts';
import type { ColType } from './types.ts';

export interface DataflowPlan {
  nodes: PlanNode[];
  /** Index of the node whose output is the result. */
  root: number;
}

interface NodeBase {
  inputs: number[];
  types: ColType[];
  /** Column names for EXPLAIN, same length as types. */
  names: string[];
  /** What the planner chose and why, shown by EXPLAIN: "append-only", "retractable", "frees at watermark - 10 s", ... */
  notes?: string[];
  /** True when the planner proved that the node's output never retracts. */
  appendOnly?: boolean;
  /** State that a watermark frees; see Retention. */
  frees?: Retention[];
}

/**
 * Rows that `input` of the node brought and whose column `column` (a position in that input) is below watermark - lag, or equal to
 * it when `strict`, can no longer be touched by any change: their state may be dropped. The watermark is the least of `sources`
 * (relation OIDs). Several for one input: a row may go when all of them hold. None for an input: its state is never freed.
 * The column holds a time: timestamp, timestamptz, date, or text that to_char() wrote by the format `text`.
 */
export interface Retention {
  input: number;
  column: number;
  lag: bigint;
  strict: boolean;
  sources: number[];
  text?: string;
  /** A row whose column is NULL is dead from the start (no band holds for it); else it never is. */
  nullsDead?: boolean;
}

/** What is proven of the rows of one input of a node. */
export function freesOf(node: PlanNode, input: number): Retention[] {
  return (node.frees ?? []).filter((f) => f.input === input);
}

export interface SortKey {
  col: number;
  desc: boolean;
  nullsFirst: boolean;
}

/** One aggregate call. `args`, `filter` and `orderBy` are input columns: the planner projects expressions first. */
export interface AggCall {
  /** regprocedure text, e.g. `sum(int8)`, `count(any)`, `count()` for count(*), `string_agg(text,text)`. */
  fn: string;
  args: number[];
  distinct: boolean;
  filter: number | null;
  orderBy: SortKey[];
  /** Names of the fields of the last argument, where it is a record: columns do not keep them, and JSON shows them. */
  names?: string[];
  /** Constant arguments of ordered-set aggregates come in args; WITHIN GROUP order is orderBy. */
  t: ColType;
}

/** One window function call; frame bounds as in SQL. Offsets are constants of the order column's offset type. */
export interface WindowCall {
  /** `row_number()`, `rank()`, `lag(anyelement,int4,anyelement)`, ... or an aggregate as in AggCall. */
  fn: string;
  args: number[];
  filter: number | null;
  aggregate: boolean;
  frame: WindowFrame;
  t: ColType;
}

export interface WindowFrame {
  mode: 'rows' | 'range' | 'groups';
  start: FrameBound;
  end: FrameBound;
  exclude: 'none' | 'current' | 'group' | 'ties';
}

export type FrameBound =
  | { k: 'unboundedPreceding' }
  | { k: 'unboundedFollowing' }
  | { k: 'current' }
  /** For range mode, `add` / `sub` name the functions that move the order value, e.g. `timestamp_pl_interval(timestamp,interval)`. */
  | { k: 'preceding' | 'following'; offset: Datum; offsetType: ColType; add?: string; sub?: string };

export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';

/** Rows of one key of an index: which columns it is over, or the OID of one over expressions, or over a part of the rows. */
export interface Lookup {
  index: number[] | number;
  values: Expr[];
  /** Of parameters: only where all are true the index has all rows that are wanted; else all are read. */
  when?: Expr[];
}

/** OID of an index over a part of the rows, and what is said of parameters where it has all rows that are wanted. */
export interface Within {
  index: number;
  when: Expr[];
}

export type PlanNode =
  /** The rows of a named relation (table, stream, view, catalog relation): `columns` are positions of the relation's row.
   *  `lookup`: only rows that have these values by an index are wanted; used for point reads of ad hoc queries. `within`: no others are than those of any of these indexes. */
  | (NodeBase & { op: 'source'; relation: number; columns: number[]; lookup?: Lookup; within?: Within[] })
  /** VALUES, or one empty row for a SELECT without FROM. */
  | (NodeBase & { op: 'constant'; rows: Expr[][] })
  /** Filter, then project: both over the input's columns. `project` null keeps the row. Linear, stateless. eachRow: an expression is volatile,
   *  so that equal rows have values of their own. */
  | (NodeBase & { op: 'map'; filter: Expr | null; project: Expr[] | null; eachRow?: true })
  /** For every input row, the rows of one set-returning function appended to the input's columns.
   *  fn: `generate_series(int4,int4)`, `unnest(anyarray)`, ...; or `hop`/`cumulate`/`tumble` window assignment. sliced: of hop and cumulate,
   *  nothing above reads the time column args[0]; rows are added up per slice of it first (window_assign.ts). eachRow: an argument is volatile. */
  | (NodeBase & {
      op: 'flatmap';
      fn: string;
      args: Expr[];
      ordinality: boolean;
      left: boolean;
      sliced?: boolean;
      eachRow?: true;
    })
  | (NodeBase & { op: 'union' })
  | (NodeBase & { op: 'distinct' })
  | (NodeBase & { op: 'setop'; kind: 'except' | 'intersect'; all: boolean })
  /** Equi-join on column pairs plus a residual predicate over left ++ right columns. semi/anti output left columns only.
   *  nullSafe[i]: pair i matches NULL with NULL (IS NOT DISTINCT FROM). nullAware: anti join with NOT IN semantics. */
  | (NodeBase & {
      op: 'join';
      kind: JoinKind;
      leftKeys: number[];
      rightKeys: number[];
      nullSafe: boolean[];
      nullAware: boolean;
      residual: Expr | null;
    })
  /** Output: key columns, then one column per call. `global`: no GROUP BY, one row exists even for empty input. */
  | (NodeBase & { op: 'aggregate'; keys: number[]; calls: AggCall[]; global: boolean })
  /** Rows offset+1..offset+limit of each partition by `order` (full row breaks ties). rank: append the row number / rank as int8.
   *  limit null: all. Used for ORDER BY LIMIT, DISTINCT ON, row_number() <= k. keepsBest: of limit 1 with ties, the planner proved that a row
   *  that is beaten never comes back: a row is retracted only in the tick in which one that is not worse comes to its partition. */
  | (NodeBase & {
      op: 'topn';
      partition: number[];
      order: SortKey[];
      limit: number | null;
      offset: number;
      withTies: boolean;
      rank: 'none' | 'row_number' | 'rank' | 'dense_rank';
      keepsBest?: boolean;
    })
  /** Input columns, then one column per call. */
  | (NodeBase & { op: 'over'; partition: number[]; order: SortKey[]; calls: WindowCall[] })
  /**
   * Session windows: appends window_start, window_end (type of column `time`). gap in microseconds. merged: of input that never retracts and has no other
   * columns than time and keys, a session's rows are one row with their weights added, whose time is window_start. counted: merged, and the row has weight 1 and
   * the number as one column more, an int8.
   */
  | (NodeBase & {
      op: 'session';
      time: number;
      gap: bigint;
      keys: number[];
      merged?: boolean;
      counted?: boolean;
    })
  /** a ASOF [LEFT] JOIN b: equality keys and one inequality leftTime >= rightTime (or >). */
  | (NodeBase & {
      op: 'asof';
      left: boolean;
      leftKeys: number[];
      rightKeys: number[];
      leftTime: number;
      rightTime: number;
      strict: boolean;
    })
  /** Keeps rows while now() is in [from, until): columns of timestamptz bounds, null where open. */
  | (NodeBase & { op: 'temporal'; from: number | null; until: number | null })
  /** Keeps rows whose column `time` is at or below the watermark of the sources (EMIT ON WINDOW CLOSE). */
  | (NodeBase & { op: 'window_close'; time: number; sources: number[] })
  /** Scalar subquery guard: more than one row per key is error 21000. */
  | (NodeBase & { op: 'single_row'; keys: number[] })
  /** WITH RECURSIVE: inputs [base, x1, x2, ...]. `step` is a plan whose source with relation -1 is the working table; its source
   *  with relation -2 - j (all columns) is the input inputs[stepInputs[j]], which does not depend on the recursion. */
  | (NodeBase & { op: 'recursive'; step: DataflowPlan; stepInputs: number[]; all: boolean });

export type PlanOp = PlanNode['op'];
