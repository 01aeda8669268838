/**
 * The statements that made what the catalog has now, in order, each with its settings: what a program needs that cannot read this one's plans.
 *
 *   CREATE t, CREATE VIEW v, CREATE OR REPLACE VIEW v, DROP t ...     done again in this order they give the same objects
 *
 * What was dropped goes with its DROP, unless a statement that stays was given while it was there and read it (the first definition of a view that was
 * replaced since, CREATE TABLE AS): then both stay, as in the tick log.
 */
import type { DefinitionRecord } from '../durable/records.ts';

export interface KeptDefinition {
  record: DefinitionRecord;
  /** OIDs of relations and the schema that must be there for it. */
  reads: number[];
}

export class KeptDefinitions {
  #list: KeptDefinition[] = [];

  add(record: DefinitionRecord, reads: number[]): void {
    this.#list.push({ record, reads });
    if (record.dropped.length > 0) while (this.#forgetOne());
  }

  /** Takes out a DROP and what made the objects, if nothing that stays needs them. */
  #forgetOne(): boolean {
    for (const { record: drop } of this.#list) {
      if (drop.dropped.length === 0) continue;
      const gone = new Set(drop.dropped);
      const goes = ({ made, altered = made }: DefinitionRecord) => gone.has(made) || gone.has(altered);
      const stays = this.#list.filter(({ record }) => record !== drop && !goes(record));
      if (stays.some(({ reads }) => reads.some((oid) => gone.has(oid)))) continue;
      // An ALTER ... CASCADE did something else as well.
      this.#list = this.#list.flatMap((kept) => {
        if (kept.record === drop && drop.made !== 0) return [{ ...kept, record: { ...drop, dropped: [] } }];
        return stays.includes(kept) ? [kept] : [];
      });
      return true;
    }
    return false;
  }

  /** OIDs of what is made and dropped again by these statements. */
  get dropped(): number[] {
    return this.#list.flatMap(({ record }) => record.dropped);
  }

  save(): KeptDefinition[] {
    return this.#list;
  }

  load(list: KeptDefinition[]): void {
    this.#list = list;
  }
}
