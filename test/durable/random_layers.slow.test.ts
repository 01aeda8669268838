/**
 * Random views over views of all that SQL has, made before the rows and behind them, dropped and replaced, over tables and a stream that change in transactions with savepoints, while the
 * clock goes on, rows go to the cold store and servers end in all ways: after every step each view is what PostgreSQL makes of its query, with the queries of the views below written out
 * and the time for now(). So is what a transaction reads of its own writes. WORLDS=n makes more of them.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PGlite, types } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session } from '../engine/harness.ts';
import { chillAll } from './chill_all.ts';
import { COLUMNS, TYPES } from './layered_expressions.ts';
import { LayeredQueries } from './layered_queries.ts';
import { LayeredWrites } from './layered_writes.ts';
import { otherLayout } from './other_layout.ts';

const WORLDS = Number(process.env.WORLDS ?? 2);
const VIEWS = 10;
const STEPS = 12;
/** What joins of joins may make of few rows. */
const MOST_ROWS = 300;
const MINUTE = 60_000_000n;
const DAY = 1440n * MINUTE;
/** With a time, in microseconds since 2000, shortly before the zone's clocks change. */
const ZONES: [zone: string, before: bigint][] = [
  ['UTC', 85n * DAY],
  ['Europe/Berlin', 85n * DAY],
  ['America/New_York', 302n * DAY + 300n * MINUTE],
];
const BASES = ['t', 'u', 'e'];
const SHAPE = COLUMNS.map((c) => `${c} ${TYPES[c]}`).join(', ');
const SHOWN = COLUMNS.map((c) => (c === 'at' ? 'at::text' : c)).join(', ');
const asText = Object.fromEntries(Object.values(types).map((oid) => [oid, (text: string) => text]));
const lines = (rows: (string | null)[][]) => rows.map((row) => JSON.stringify(row)).sort();

const root = mkdtempSync(join(tmpdir(), 'tidemark-layers-'));
const seed = testSeed();
let postgres: PGlite;
before(async () => {
  postgres = await PGlite.create();
});
after(async () => {
  await postgres.close();
  rmSync(root, { recursive: true, force: true });
});

interface View {
  query: string;
  reads: string[];
  materialized: boolean;
}

class World {
  readonly random: Random;
  readonly #writes: LayeredWrites;
  readonly #queries: LayeredQueries;
  /** Those that others read come first. */
  readonly #views = new Map<string, View>();
  readonly #zone: string;
  readonly #path: string;
  readonly #coldState: boolean;
  #now: bigint;
  #engine!: TidemarkEngine;
  #disk = new MemoryDisk();
  #names = 0;
  compared = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#queries = new LayeredQueries(this.random);
    [this.#zone, this.#now] = this.random.pick(ZONES);
    this.#coldState = this.random.chance(0.5);
    this.#writes = new LayeredWrites(this.random, this.random.chance(0.35));
    this.#path = join(root, String(seed));
    mkdirSync(this.#path);
  }

  async open(): Promise<void> {
    await this.#start();
    await postgres.exec(`DROP TABLE IF EXISTS t, u, e; SET TimeZone = '${this.#zone}'`);
    for (const made of [`TABLE t (id int PRIMARY KEY, ${SHAPE})`, `TABLE u (${SHAPE})`, `STREAM e (${SHAPE})`]) {
      await this.#here(`CREATE ${made}`);
      await postgres.exec(`CREATE ${made.replace('STREAM', 'TABLE')}`);
    }
    await this.#here('CREATE TABLE moments (a int)');
  }

  async #start(): Promise<void> {
    this.#engine = await openEngine({ clock: () => this.#now });
    await openData(this.#engine, {
      path: this.#path,
      disk: this.#disk,
      segmentBytes: 4096,
      reserveBytes: 20_000,
      checkpoints: { seconds: 1e6, logBytes: 1e9 },
      coldState: this.#coldState,
    });
  }

  async close(): Promise<void> {
    await postgres.exec('ROLLBACK');
    await this.#engine.close();
  }

  #session(block = false): Session {
    return new Session(this.#engine, { TimeZone: this.#zone }, block);
  }

  async #here(text: string): Promise<(string | null)[][]> {
    const session = this.#session();
    const rows = await session.run(text);
    await session.transaction.commit();
    return rows;
  }

  /** Null when PostgreSQL fails: what is an error depends on the order in which it looks at rows. */
  async #there(text: string): Promise<string[] | null> {
    const results = await postgres.exec(text, { rowMode: 'array', parsers: asText }).catch(() => null);
    return results && lines(results[0].rows as unknown as (string | null)[][]);
  }

  /** A query over tables alone that gives the view's rows, at this time. */
  #expanded(name: string): string {
    const needed = new Set<string>();
    const need = (of: string): void => {
      for (const below of this.#views.get(of)?.reads ?? []) need(below);
      if (this.#views.has(of)) needed.add(of);
    };
    need(name);
    const items = [...needed].map((of) => `${of} AS NOT MATERIALIZED (${this.#views.get(of)!.query})`);
    const now = `(TIMESTAMPTZ '2000-01-01 00:00:00Z' + ${this.#now} * INTERVAL '1 us')`;
    return `WITH ${items.join(', ')} SELECT ${SHOWN} FROM ${name}`.replaceAll('now()', now);
  }

  #newView(below: string[], materialized: boolean): View {
    const query = this.#queries.over(below);
    return { query, reads: below.filter((name) => new RegExp(`\\b${name}\\b`).test(query)), materialized };
  }

  async make(): Promise<void> {
    const name = `v${++this.#names}`;
    const view = this.#newView([...BASES, ...this.#views.keys()], this.random.chance(0.8));
    this.#views.set(name, view);
    const rows = await this.#there(this.#expanded(name));
    if (rows === null || rows.length > MOST_ROWS) this.#views.delete(name);
    else await this.#here(`CREATE ${view.materialized ? 'MATERIALIZED ' : ''}VIEW ${name} AS ${view.query}`);
  }

  /** The view and what reads it. */
  #over(name: string): string[] {
    const found = new Set([name]);
    for (const [other, { reads }] of this.#views) if (reads.some((below) => found.has(below))) found.add(other);
    return [...found];
  }

  async drop(name = this.random.pick([...this.#views.keys()])): Promise<void> {
    await this.#here(`DROP ${this.#views.get(name)!.materialized ? 'MATERIALIZED ' : ''}VIEW ${name} CASCADE`);
    for (const gone of this.#over(name)) this.#views.delete(gone);
  }

  async replace(): Promise<void> {
    const names = [...this.#views.keys()];
    const plain = names.filter((name) => !this.#views.get(name)!.materialized);
    if (plain.length === 0) return;
    const name = this.random.pick(plain);
    const was = this.#views.get(name)!;
    const now = this.#newView([...BASES, ...names.slice(0, names.indexOf(name))], false);
    const over = this.#over(name);
    this.#views.set(name, now);
    const rows = await Promise.all(over.map((other) => this.#there(this.#expanded(other))));
    const isRefused = over.some((other) => this.#views.get(other)!.materialized);
    const replaced = this.#here(`CREATE OR REPLACE VIEW ${name} AS ${now.query}`);
    if (isRefused) await assert.rejects(replaced, { sqlstate: '0A000' });
    else await replaced;
    if (isRefused) this.#views.set(name, was);
    else if (rows.some((of) => of === null || of.length > MOST_ROWS)) await this.drop(name);
  }

  async #both(text: string): Promise<void> {
    await this.#alike(text, () => this.#here(text));
  }

  async fill(): Promise<void> {
    for (const text of this.#writes.fill(this.#now)) await this.#both(text);
  }

  /** Whether the statement succeeded, on both sides. */
  async #alike(text: string, here: () => Promise<unknown>): Promise<boolean> {
    const [ours, theirs] = await Promise.allSettled([here(), postgres.exec(text)]);
    assert.equal(ours.status, theirs.status, `${text}: ${'reason' in ours ? ours.reason : 'PostgreSQL fails'}`);
    return ours.status === 'fulfilled';
  }

  /** One statement, or a transaction of some. */
  async change(): Promise<string> {
    const { random } = this;
    if (random.chance(0.5)) {
      const text = this.#writes.next(this.#now);
      await this.#both(text);
      return text;
    }
    const session = this.#session(true);
    const { transaction } = session;
    await postgres.exec('BEGIN');
    const done: string[] = [];
    let points = 0;
    let isWhole = true;
    for (let left = 2 + random.below(5); left > 0 && isWhole; left--) {
      const kind = random.below(5);
      const point = kind === 0 ? points++ : random.below(Math.max(points, 1));
      if (kind === 1 && points > 0) points = point + 1;
      const text =
        kind === 0
          ? `SAVEPOINT p${point}`
          : kind === 1 && points > 0
            ? `ROLLBACK TO p${point}`
            : this.#writes.next(this.#now);
      done.push(text);
      isWhole = await this.#alike(text, async () => {
        if (text.startsWith('SAVEPOINT')) transaction.savepoint(`p${point}`);
        else if (text.startsWith('ROLLBACK')) transaction.rollbackTo(`p${point}`);
        else await session.run(text);
      });
      if (isWhole && random.chance(0.3)) await this.#compareWithin(session, done);
    }
    const end = isWhole && random.chance(0.8) ? 'COMMIT' : 'ROLLBACK';
    await this.#alike(end, async () => (end === 'COMMIT' ? transaction.commit() : transaction.rollback()));
    return [...done, end].join('; ');
  }

  async #compareWithin(session: Session, done: string[]): Promise<void> {
    this.#views.set('query', this.#newView([...BASES, ...this.#views.keys()], false));
    const text = this.#expanded('query');
    this.#views.delete('query');
    await postgres.exec('SAVEPOINT reading');
    const expected = await this.#there(text);
    await postgres.exec('ROLLBACK TO reading');
    if (expected === null) return;
    const found = await session.run(text).then(lines, failed);
    if (found !== null) assert.deepEqual(found, expected, `${done.join('; ')}: ${text}`);
  }

  /** Goes on by some minutes, and by a tick at that time. */
  async pass(): Promise<void> {
    this.#now += BigInt(this.random.below(4)) * this.random.pick([MINUTE, 10n * MINUTE, 25n * MINUTE]);
    await this.#here('INSERT INTO moments VALUES (1)');
  }

  async disturb(): Promise<string> {
    if (this.#coldState && this.random.chance(0.3)) chillAll(this.#engine);
    const how = this.random.pick(['', '', '', 'log', 'end', 'checkpoint', 'layout']);
    if (how === '') return how;
    if (how !== 'log') await this.#here('CHECKPOINT');
    if (how === 'checkpoint') await this.change();
    const cut = this.#disk.crash(() => 0);
    await this.#engine.close();
    if (how === 'log' || how === 'checkpoint') this.#disk = cut;
    if (how === 'layout') otherLayout(this.#disk);
    await this.#start();
    return how;
  }

  async compare(where: string): Promise<void> {
    for (const name of BASES) {
      const rows = lines(await this.#here(`SELECT ${SHOWN} FROM ${name}`));
      assert.deepEqual(rows, await this.#there(`SELECT ${SHOWN} FROM ${name}`), `${name} ${where}`);
    }
    for (const name of [...this.#views.keys()]) {
      if (!this.#views.has(name)) continue;
      const expected = await this.#there(this.#expanded(name));
      if (expected === null || (await this.#hasErrors(name))) continue;
      const found = lines(await this.#here(`SELECT ${SHOWN} FROM ${name}`));
      assert.deepEqual(found, expected, `${name} ${where}: ${this.#expanded(name)}`);
      this.compared++;
      if (expected.length > 3 * MOST_ROWS) await this.drop(name);
    }
  }

  /** Rows that PostgreSQL did not look at may be errors. */
  async #hasErrors(name: string): Promise<boolean> {
    const view = this.#views.get(name);
    if (view === undefined) return false;
    const text = view.materialized ? `SELECT * FROM tidemark.errors('${name}')` : `SELECT * FROM ${name}`;
    const rows = await this.#here(text).then(lines, failed);
    if (rows === null || (view.materialized && rows.length > 0)) return true;
    for (const below of view.reads) if (await this.#hasErrors(below)) return true;
    return false;
  }

  get views(): number {
    return this.#views.size;
  }
}

function failed(error: unknown): null {
  if (!(error instanceof SqlError)) throw error;
  return null;
}

for (let n = 0; n < WORLDS; n++) {
  test(`layers of views (SEED=${seed + n} WORLDS=1)`, { timeout: 300_000 }, async () => {
    const world = new World(seed + n);
    const { random } = world;
    try {
      await world.open();
      if (random.chance(0.5)) await world.fill();
      for (let i = 0; i < VIEWS / 2; i++) await world.make();
      for (let step = 0; step < STEPS; step++) {
        if (step === 0 || random.chance(0.08)) await world.fill();
        const done = [await world.change(), await world.change()];
        if (world.views < VIEWS || random.chance(0.2)) await world.make();
        if (world.views > 2 && random.chance(0.1)) await world.drop();
        if (random.chance(0.2)) await world.replace();
        const how = await world.disturb();
        await world.pass();
        await world.compare(`step ${step} [${done.join('] [')}] ${how}`);
      }
      assert.ok(world.compared > STEPS);
    } finally {
      await world.close();
    }
  });
}
