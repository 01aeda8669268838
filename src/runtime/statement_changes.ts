/**
 * What one statement changes: modifying items of WITH and, unless that is a SELECT, the statement itself.
 *
 *   WITH a AS (DELETE FROM t ... RETURNING ...), b AS (INSERT ... SELECT ... FROM a) UPDATE ...
 *        changes of t -- rows of a -->  changes of u                               changes of v     then all are written
 *
 * Each part reads the tables as they were before the statement, and of the other parts the rows of RETURNING alone (PostgreSQL manual 7.8.4). A
 * row that two parts take away is taken away by the first. Unique keys are those of all parts together.
 */
import type { Datum } from '../../operators/datum.ts';
import type { BoundModification } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { bindReturned } from '../../planner/physical/parameters.ts';
import type { ChangeSource } from './change_source.ts';
import { changesOf, type Modified, type ModifyContext, writeChanges } from './modify.ts';
import { followReferences, type TableChanges } from './referential_actions.ts';
import { checkHeap } from './source_rows.ts';

/** About what a returned value takes as a constant of a plan. */
const VALUE_BYTES = 100;

export class StatementChanges {
  readonly #contextOf: (relation: Relation) => ModifyContext;
  readonly #tables = new Map<number, TableChanges>();
  readonly #returned: Datum[][][] = [];
  #values = 0;

  readonly #alone: boolean;

  /** `alone`: there is one part. */
  constructor(alone: boolean, contextOf: (relation: Relation) => ModifyContext) {
    this.#alone = alone;
    this.#contextOf = contextOf;
  }

  /** Computes what the next part changes. `planned`: its source, if that is known. */
  async add(part: BoundModification, planned: ChangeSource | null = null): Promise<Modified> {
    const { relation } = part;
    const table = this.#tables.get(relation.oid) ?? { relation, at: this.#contextOf(relation), delta: [] };
    this.#tables.set(relation.oid, table);
    const { delta, count, returned } = await changesOf(
      this.known({ ...part, items: [] }),
      table.at,
      table.delta,
      this.#alone,
      planned,
    );
    table.delta = table.delta.length === 0 ? delta : table.delta.concat(delta);
    this.#values += returned === null ? 0 : returned.length * (part.returning?.items.length ?? 0);
    checkHeap(this.#values * VALUE_BYTES);
    this.#returned.push(returned ?? []);
    return { count, returned };
  }

  /** A plan with the rows that the parts so far have returned. */
  known<T>(plan: T): T {
    return this.#returned.length === 0 ? plan : bindReturned(plan, this.#returned);
  }

  /** Writes all of it into the transaction, and what foreign keys make of it. */
  write(): void {
    for (const { relation, delta, at } of this.#tables.values()) {
      at.checkThere();
      writeChanges(relation, delta, at);
    }
    followReferences([...this.#tables.values()]);
  }
}
