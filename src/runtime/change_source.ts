/**
 * What an UPDATE or DELETE reads, planned once. Of the rows of a key its operators are made once too, and serve every execution from the second on (point_read.ts):
 *
 *   UPDATE t SET v = v + $1 WHERE id = $2        look-up by id -> old and new columns
 *
 * Parameters are then read from the evaluation context. To plan for each pair of values, and to compile its expressions, was half of what such a statement cost (docs/decisions/0471). A
 * statement that runs once does without: operators have memory of their own until they are collected.
 */
import type { DataflowPlan } from '../../operators/plan.ts';
import type { BoundDelete, BoundModification, BoundUpdate } from '../../planner/bind/index.ts';
import { outputColumns } from '../../planner/logical/columns.ts';
import { planRows } from '../../planner/physical/index.ts';
import type { ModifyContext } from './modify.ts';
import { PointRead } from './point_read.ts';
import type { SourcePieces } from './source_rows.ts';

export class ChangeSource {
  readonly #bound: BoundUpdate | BoundDelete;
  #plan: DataflowPlan | null = null;
  #wasRun = false;
  #point: PointRead | null = null;

  private constructor(bound: BoundUpdate | BoundDelete) {
    this.#bound = bound;
  }

  /** Null for other statements. */
  static of(bound: BoundModification): ChangeSource | null {
    return bound.k === 'update' || bound.k === 'delete' ? new ChangeSource(bound) : null;
  }

  /** Without the values of parameters. */
  get plan(): DataflowPlan {
    this.#plan ??= planRows(this.#bound.source, this.#ids);
    return this.#plan;
  }

  get #ids(): number[] {
    return outputColumns(this.#bound.source).map(({ id }) => id);
  }

  /** The statement runs: whether rows() reads its source, with parameters of the context. */
  run(): boolean {
    if (this.#wasRun) this.#point ??= PointRead.of(this.plan, this.#ids.length, []);
    this.#wasRun = true;
    return this.#point !== null;
  }

  /** Null where run() said that it does not, or no index serves any more. */
  rows(at: ModifyContext): SourcePieces | null {
    const found = this.#point?.readWeighted(at) ?? null;
    return found === null ? null : { plan: this.plan, pieces: [found.batch], arena: found.arena };
  }
}
