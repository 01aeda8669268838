/**
 * The planner's second half: logical plan -> rewrites -> dataflow plan.
 *
 *   planQuery   a bound SELECT, for a view or for one read
 *   planRows    a bare logical plan with its columns in a given order (sources of INSERT, UPDATE, DELETE)
 *   nodeKey     structural identity of a node, for sharing operators between views
 *   explainPlan the plan as text
 */
import type { DataflowPlan } from '../../operators/plan.ts';
import type { BoundQuery, Logical } from '../logical/plan.ts';
import type { PhysicalQuery, PlanOptions } from './query.ts';

export type { PhysicalColumn, PhysicalQuery, PlanMode, PlanOptions } from './query.ts';

/** Plans a bound query. Throws SqlError 0A000 where a view cannot be maintained (now() outside a temporal filter, ...). */
export declare function planQuery(bound: BoundQuery, options: PlanOptions): PhysicalQuery;

/** Plans `logical` so that the root's columns are exactly `outIds`, in order. */
export declare function planRows(logical: Logical, outIds: number[], options?: PlanOptions): DataflowPlan;

/** Canonical text of node `i` and all its inputs: equal texts compute equal relations. */
export declare function nodeKey(plan: DataflowPlan, i: number): string;

/** The plan as a tree, one operator a line. `relationName` names a relation OID. */
export declare function explainPlan(query: PhysicalQuery, relationName: (oid: number) => string): string;
