/**
 * What one statement changes: modifying items of WITH and, unless that is a SELECT, the statement itself.
 *
 *   WITH a AS (DELETE FROM t ... RETURNING ...), b AS (INSERT ... SELECT ... FROM a) UPDATE ...
 *        changes of t -- rows of a -->  changes of u                               changes of v     then all are written
 *
 * Items of WITH that call volatile functions and that several parts refer to are read once, before the first of these.
 *
 * Each part reads the tables as they were before the statement, and of the other parts the rows of RETURNING alone (PostgreSQL manual 7.8.4). A
 * row that two parts take away is taken away by the first. Unique keys are those of all parts together.
 */
import type { Datum } from '../../operators/datum.ts';
import type { BoundModification } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { bindItems, itemsOfSeveral, onceItems } from '../../planner/physical/once_items.ts';
import { bindReturned } from '../../planner/physical/parameters.ts';
import type { ChangeSource } from './change_source.ts';
import { changesOf, type Modified, type ModifyContext, writeChanges } from './modify.ts';
import { followReferences, type TableChanges } from './referential_actions.ts';
import { checkHeap, itemRows } from './source_rows.ts';

/** About what a returned value takes as a constant of a plan. */
const VALUE_BYTES = 100;

export class StatementChanges {
  readonly #contextOf: (relation: Relation) => ModifyContext;
  readonly #tables = new Map<number, TableChanges>();
  readonly #returned: Datum[][][] = [];
  /** Of items that several parts refer to: their ids, and the rows of those that were read. */
  readonly #several: Set<number>;
  readonly #items = new Map<number, Datum[][]>();
  #values = 0;

  readonly #alone: boolean;

  /** `parts`: all, with a query that is the last of them. */
  constructor(parts: object[], contextOf: (relation: Relation) => ModifyContext) {
    this.#alone = parts.length === 1;
    this.#several = this.#alone ? new Set() : itemsOfSeveral(parts);
    this.#contextOf = contextOf;
  }

  /** Computes what the next part changes. `planned`: its source, if that is known. */
  async add(part: BoundModification, planned: ChangeSource | null = null): Promise<Modified> {
    const { relation } = part;
    const table = this.#tables.get(relation.oid) ?? { relation, at: this.#contextOf(relation), delta: [] };
    this.#tables.set(relation.oid, table);
    const own = { ...part, items: [] };
    // Without such items nobody has a turn before the source is read: what it names is there still.
    if (this.#several.size > 0) await this.#readItems(own, table.at);
    const { delta, count, returned } = await changesOf(this.known(own), table.at, table.delta, this.#alone, planned);
    table.delta = table.delta.length === 0 ? delta : table.delta.concat(delta);
    this.#hold(returned ?? [], part.returning?.items.length ?? 0);
    this.#returned.push(returned ?? []);
    return { count, returned };
  }

  async #readItems(part: BoundModification, at: ModifyContext): Promise<void> {
    for (const { id, plan, outputs } of onceItems(part)) {
      if (!this.#several.has(id) || this.#items.has(id)) continue;
      const rows = await itemRows(
        this.known(plan),
        outputs.map((c) => c.id),
        at,
      );
      this.#hold(rows, outputs.length);
      this.#items.set(id, rows);
    }
  }

  #hold(rows: Datum[][], width: number): void {
    this.#values += rows.length * width;
    checkHeap(this.#values * VALUE_BYTES);
  }

  /** A plan with the rows that the parts so far have returned, and those of the items that were read. */
  known<T>(plan: T): T {
    const items = this.#items.size === 0 ? plan : bindItems(plan, this.#items);
    return this.#returned.length === 0 ? items : bindReturned(items, this.#returned);
  }

  /** Writes all of it into the transaction, and what foreign keys make of it. */
  write(): void {
    for (const { relation, delta, at } of this.#tables.values()) {
      at.checkThere();
      // Nothing of it is left where the changes were written by columns.
      if (delta.length > 0) writeChanges(relation, delta, at);
    }
    followReferences([...this.#tables.values()]);
  }
}
