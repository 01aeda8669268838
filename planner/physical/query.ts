/**
 * What the planner hands to the server: a dataflow plan and how its root's rows become a result.
 *
 *   root row = [ visible column 0 .. k-1 | hidden sort columns ]
 */
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import type { ColType } from '../../operators/types.ts';
import type { NodeFacts } from '../analyse/facts.ts';

/** 'view': maintained for ever, so now() must be a temporal filter. 'read': run once over one tick's snapshot. */
export type PlanMode = 'view' | 'read';

export interface PlanOptions {
  mode: PlanMode;
  /** Time zone of the session that makes a view; local forms of now() are accepted only where it is UTC. Absent: any. */
  timeZone?: string;
}

/** A visible result column: position i of the root's row. */
export interface PhysicalColumn {
  name: string;
  type: ColType;
  /** Set for plain columns of a relation (RowDescription's table OID and attribute number). */
  origin?: { relation: number; attnum: number };
}

export interface PhysicalQuery {
  plan: DataflowPlan;
  columns: PhysicalColumn[];
  /** Order in which rows leave a SELECT, over root positions; hidden sort columns (reads only) come after the visible ones. */
  order: SortKey[];
  /** Visible positions that identify a row ([] = at most one row), when the planner proved such a set. */
  key: number[] | null;
  /** The view never retracts a row. Nobody asks it of a read: false. */
  appendOnly: boolean;
  /** What the analyses proved of each node, by node index. */
  facts: NodeFacts[];
}
