/**
 * The changes of all relations of some publications, tick by tick: what replication sends.
 *
 *   log of a  ─ entries ─┐
 *   log of b  ─ entries ─┴─> the least tick that is on the disk, with the deltas of all that it changed
 *
 * Logs are looked at until each has an entry to give or is at its end, so nothing of a tick that was on the disk by then can be missing. Relations that come into a
 * publication meanwhile are followed from there on; what is dropped ends. Cost: one piece of each log (change_reader.ts); the rows of one tick.
 */
import { Arena } from '../../operators/batch/arena.ts';
import { SqlError } from '../../operators/errors.ts';
import { presentColumns, type Relation } from '../../planner/catalog_reader.ts';
import type { Publish } from '../catalog/objects.ts';
import type { ChangeReader } from '../changes/change_reader.ts';
import { batchOf, type Entry } from '../changes/entry.ts';
import type { PublishedChanges, PublishedRelation, PublishedTick } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { publishedBy } from './publications.ts';
import type { Observer } from './tick_loop.ts';

interface Followed {
  relation: PublishedRelation;
  /** As the catalog has it now; entries are of what there was when they were read. */
  latest: PublishedRelation;
  reader: ChangeReader;
  entries: Entry[];
  stop: () => void;
}

export class FollowedPublications implements PublishedChanges, Observer {
  readonly #engine: TidemarkEngine;
  readonly #names: string[];
  readonly #wake: () => void;
  readonly #followed = new Map<number, Followed>();
  readonly #arena = new Arena();
  #complete: bigint;
  #version = -1;
  #waitsForDisk = false;
  #failure: Error | null = null;
  #closed = false;

  constructor(engine: TidemarkEngine, publications: string[], after: bigint, wake: () => void) {
    this.#engine = engine;
    this.#names = publications;
    this.#wake = wake;
    this.#complete = after;
    this.#lookAtCatalog();
  }

  get complete(): bigint {
    return this.#complete;
  }

  onTick(tick: bigint): void {
    this.#waitForDisk(tick);
  }

  onEnd(): void {
    this.#wake();
  }

  #waitForDisk(tick: bigint): void {
    const { ticks } = this.#engine;
    if (tick <= ticks.durable) {
      this.#wake();
      return;
    }
    if (this.#waitsForDisk) return;
    this.#waitsForDisk = true;
    ticks.untilDurable(tick).then(
      () => {
        this.#waitsForDisk = false;
        this.#wake();
      },
      (error: Error) => {
        this.#failure = error;
        this.#wake();
      },
    );
  }

  /** Begins and ends what the publications' relations make necessary. */
  #lookAtCatalog(): void {
    const { catalog, catalogVersion } = this.#engine;
    if (this.#version === catalogVersion) return;
    this.#version = catalogVersion;
    const wanted = new Map<number, Publish>();
    for (const name of this.#names) {
      const publication = catalog.ofServer('publication', name);
      if (publication === undefined) throw new SqlError('42704', `publication "${name}" does not exist`);
      for (const oid of publishedBy(this.#engine, publication))
        wanted.set(oid, either(wanted.get(oid), publication.publish));
    }
    for (const [oid, followed] of this.#followed) if (!wanted.has(oid)) this.#end(oid, followed);
    for (const [oid, publish] of wanted) {
      const relation = catalog.relationByOid(oid);
      if (relation === null) continue;
      const followed = this.#followed.get(oid);
      if (followed === undefined) this.#begin(relation, publish);
      else followed.latest = shown(this.#engine, relation, publish);
    }
  }

  #begin(relation: Relation, publish: Publish): void {
    const { changes, loop } = this.#engine;
    const { oid } = relation;
    const log = changes.log(oid);
    if (log === null) return;
    const reader = log.reader(log.startAfter(this.#complete), () => this.#wake());
    const stop = loop.observe(oid, this);
    const latest = shown(this.#engine, relation, publish);
    this.#followed.set(oid, { relation: latest, latest, reader, entries: [], stop });
  }

  #end(oid: number, { reader, stop }: Followed): void {
    stop();
    reader.close();
    this.#followed.delete(oid);
  }

  async next(): Promise<PublishedTick | null> {
    if (this.#failure !== null) throw this.#failure;
    // What is on the disk by now is in the logs by now.
    const { durable, last } = this.#engine.ticks;
    this.#lookAtCatalog();
    for (const followed of this.#followed.values()) {
      while (followed.entries.length === 0) {
        followed.relation = followed.latest;
        this.#goOn(followed);
        const entries = await followed.reader.next();
        if (this.#closed) return null;
        followed.entries = entries;
        if (entries.length === 0 && followed.reader.isAtEnd) break;
      }
    }
    const firsts = [...this.#followed.values()].flatMap(({ entries }) => entries.slice(0, 1));
    const tick = firsts.reduce<bigint | null>(
      (least, entry) => (least === null || entry.tick < least ? entry.tick : least),
      null,
    );
    if (tick === null || tick > durable) {
      if (durable > this.#complete) this.#complete = durable;
      if (last > durable) this.#waitForDisk(last);
      return null;
    }
    return this.#take(tick);
  }

  /** A log that an ALTER TABLE has begun again is read on, by a reader that had all before. Throws 55000 for one that had not. */
  #goOn(followed: Followed): void {
    const { oid } = followed.relation;
    const log = this.#engine.changes.log(oid);
    if (log === null || !followed.reader.isCut) return;
    const reader = log.reader(log.startAfter(this.#complete), () => this.#wake());
    followed.reader.close();
    followed.reader = reader;
    // The catalog may be of after the last look at it.
    const relation = this.#engine.catalog.relationByOid(oid);
    if (relation === null) return;
    followed.latest = shown(this.#engine, relation, followed.latest.publish);
    followed.relation = followed.latest;
  }

  #take(tick: bigint): PublishedTick {
    this.#arena.reset();
    let clock = 0n;
    const changes: PublishedTick['changes'] = [];
    for (const { relation, entries } of this.#followed.values()) {
      if (entries[0]?.tick !== tick) continue;
      const entry = entries.shift() as Entry;
      clock = entry.clock;
      changes.push({ relation, delta: batchOf(entry, this.#arena) });
    }
    this.#complete = tick;
    return { tick, clock, changes };
  }

  close(): void {
    this.#closed = true;
    for (const [oid, followed] of this.#followed) this.#end(oid, followed);
    this.#arena.release();
  }
}

function either(one: Publish | undefined, other: Publish): Publish {
  if (one === undefined) return other;
  return {
    insert: one.insert || other.insert,
    update: one.update || other.update,
    delete: one.delete || other.delete,
    truncate: one.truncate || other.truncate,
  };
}

function shown(
  { catalog }: TidemarkEngine,
  relation: Relation,
  publish: PublishedRelation['publish'],
): PublishedRelation {
  const object = catalog.get(relation.oid);
  const key = relation.key ?? [];
  return {
    oid: relation.oid,
    schema: object?.schema ?? '',
    name: relation.name,
    toldByKey: key.length > 0 && key.every((column) => relation.columns[column].notNull),
    publish,
    columns: presentColumns(relation).map(({ name, position }) => ({
      name,
      type: relation.columns[position].type,
      position,
      isKey: key.includes(position),
    })),
  };
}
