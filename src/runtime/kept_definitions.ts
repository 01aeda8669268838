/**
 * The statements that made what the catalog has now, in order, each with its settings: what a program needs that cannot read this one's plans.
 *
 *   CREATE t, CREATE VIEW v, CREATE OR REPLACE VIEW v, DROP t ...     done again in this order they give the same objects
 *
 * What was dropped goes with its DROP, unless a statement that stays was given while it was there and read it (the first definition of a view that was
 * replaced since, CREATE TABLE AS): then both stay, as in the tick log. An ALTER goes with what it altered; the DROP of what else it made stays with it.
 */
import type { DefinitionRecord } from '../durable/records.ts';

export interface KeptDefinition {
  record: DefinitionRecord;
  /** OIDs of relations and the schema that must be there for it. */
  reads: number[];
}

/** It is its transaction's alone until that commits. */
const isPending = ({ named, change, alters }: DefinitionRecord): boolean =>
  named !== undefined || change !== undefined || alters === true;

/** As it is once it counts for everybody. */
function over(record: DefinitionRecord): DefinitionRecord {
  const { named: _, change: __, alters: ___, reads: ____, open: _____, ...left } = record;
  return left;
}

export class KeptDefinitions {
  #list: KeptDefinition[] = [];

  add(record: DefinitionRecord, reads: number[]): void {
    this.#list.push({ record, reads });
    if (record.dropped.length > 0) this.#forget();
  }

  /** Everybody sees these objects now. What else the transaction has done to them behind a savepoint it says itself. */
  show(oids: number[]): void {
    this.#list = this.#list.map((kept) => {
      if (!oids.includes(kept.record.made) || isPending(kept.record)) return kept;
      const { open: _, ...record } = kept.record;
      return { ...kept, record };
    });
  }

  /** What a transaction has dropped (`lost`: with it) is gone. */
  gone(oids: number[], lost: number[]): void {
    let told = false;
    this.#list = this.#list.map((kept) => {
      const { going = [], ...record } = kept.record;
      const gone = going.filter((oid) => oids.includes(oid));
      if (gone.length === 0) return kept;
      const left = going.filter((oid) => !oids.includes(oid));
      const dropped = [...record.dropped, ...gone, ...(told ? [] : lost)];
      told = true;
      if (left.length > 0) return { ...kept, record: { ...record, dropped, going: left } };
      const { open: _, ...ended } = record;
      return { ...kept, record: { ...ended, dropped } };
    });
    this.#forget();
  }

  /** What a transaction has dropped is not. */
  stay(oids: number[]): void {
    this.#list = this.#list.flatMap((kept) => {
      const { going, ...record } = kept.record;
      if (going === undefined) return [kept];
      const left = going.filter((oid) => !oids.includes(oid));
      if (left.length > 0) return [{ ...kept, record: { ...record, going: left } }];
      return record.dropped.length > 0 ? [{ ...kept, record }] : [];
    });
  }

  /** Objects have the names that the transaction has given them. */
  named(transaction: number): void {
    this.#list = this.#list.map((kept) => {
      const { named, open } = kept.record;
      return named === undefined || open !== transaction ? kept : { ...kept, record: over(kept.record) };
    });
  }

  /** What transactions have changed of these objects counts for everybody. */
  changed(oids: number[]): void {
    this.#list = this.#list.map((kept) => {
      const { named, altered = 0 } = kept.record;
      const isChange = named === undefined && isPending(kept.record);
      return isChange && oids.includes(altered) ? { ...kept, record: over(kept.record) } : kept;
    });
  }

  /** Of its new names and what else it has changed only that at these positions is left. */
  keepPending(transaction: number, positions: number[]): void {
    let position = 0;
    this.#list = this.#list.filter(({ record }) => {
      return !isPending(record) || record.open !== transaction || positions.includes(position++);
    });
  }

  /** Takes out what made the objects that are gone, with their DROPs, if nothing that stays needs them. */
  #forget(): void {
    const gone = new Set(this.dropped);
    const needed = new Set<number>();
    const stays = new Set<KeptDefinition>();
    for (let before = -1; before < stays.size; ) {
      before = stays.size;
      for (const kept of this.#list) {
        const { made, altered = made, dropped, going } = kept.record;
        const isDrop = made === 0 && dropped.length > 0;
        const isIdle = isDrop ? !dropped.some((oid) => needed.has(oid)) : gone.has(altered) && !needed.has(altered);
        if (going === undefined && isIdle) continue;
        stays.add(kept);
        // A DROP names all that it drops; an ALTER ... CASCADE does something else as well.
        for (const oid of [made, ...kept.reads, ...(isDrop ? dropped : [])]) needed.add(oid);
      }
    }
    this.#list = this.#list.flatMap((kept) => {
      const dropped = kept.record.dropped.filter((oid) => needed.has(oid));
      if (!stays.has(kept)) return [];
      const record = { ...kept.record, dropped };
      // What has gone is changed by no transaction.
      const isOver = gone.has(record.altered ?? 0) && isPending(record);
      return [{ ...kept, record: isOver ? over(record) : record }];
    });
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
