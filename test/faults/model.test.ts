/**
 * Random definitions, writes, transactions, subscriptions, checkpoints, crashes and restarts against a model in plain JavaScript. A crash keeps what was synced
 * and any part of what was not; the statement that was under way is there whole or not at all. What clients of subscriptions make of the changes is what is
 * followed, each change once; rows AS OF an earlier tick are those of then. SEED replays a run.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, seeded, sql } from '../engine/harness.ts';
import { progress, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-model-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Row {
  k: number;
  g: number;
  v: number;
  s: string | null;
}

interface View {
  kind: 'groups' | 'filter' | 'join' | 'top' | 'over' | 'plain';
  reads: string[];
}

/** Names are made once and never again. */
interface State {
  tables: Map<string, Map<number, Row>>;
  /** By CREATE TABLE AS. */
  copies: Map<string, Row[]>;
  views: Map<string, View>;
  /** Index name -> table. */
  indexes: Map<string, string>;
  /** For a relation or for a query. */
  subscriptions: Map<string, { follows: string } | View>;
}

const NOTHING: State = {
  tables: new Map(),
  copies: new Map(),
  views: new Map(),
  indexes: new Map(),
  subscriptions: new Map(),
};

const SQL: Record<View['kind'], (reads: string[]) => string> = {
  groups: ([t]) => `SELECT g, count(*) AS n, sum(v) AS total, max(s) AS m FROM ${t} GROUP BY g`,
  filter: ([t]) => `SELECT k, v, s FROM ${t} WHERE v > 50`,
  join: ([t, u]) => `SELECT a.k, b.k AS other FROM ${t} a JOIN ${u} b ON a.g = b.g AND a.v < b.v`,
  top: ([t]) => `SELECT k, v FROM ${t} ORDER BY v DESC, k LIMIT 3`,
  over: ([v]) => `SELECT count(*) AS n FROM ${v}`,
  plain: ([t]) => `SELECT k, g FROM ${t} WHERE s IS NOT NULL`,
};

/** The rows of a relation as text, as the model has them, sorted. */
function rowsOf(state: State, name: string): string[] {
  const table = state.copies.get(name) ?? state.tables.get(name)?.values();
  if (table !== undefined) return lines([...table].map(({ k, g, v, s }) => [k, g, v, s]));
  return rowsOfView(state, state.views.get(name) as View);
}

const lines = (rows: (string | number | null)[][]) =>
  rows.map((row) => JSON.stringify(row.map((x) => (x === null ? null : String(x))))).sort();

function rowsOfView(state: State, { kind, reads }: View): string[] {
  const rows = [...(state.tables.get(reads[0])?.values() ?? [])];
  switch (kind) {
    case 'groups': {
      const groups = new Map<number, Row[]>();
      for (const row of rows) groups.set(row.g, [...(groups.get(row.g) ?? []), row]);
      return lines(
        [...groups].map(([g, list]) => {
          const texts = list.flatMap((r) => (r.s === null ? [] : [r.s])).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
          return [g, list.length, list.reduce((sum, r) => sum + r.v, 0), texts.at(-1) ?? null];
        }),
      );
    }
    case 'filter':
      return lines(rows.filter((r) => r.v > 50).map(({ k, v, s }) => [k, v, s]));
    case 'join': {
      const others = [...(state.tables.get(reads[1])?.values() ?? [])];
      return lines(rows.flatMap((a) => others.filter((b) => a.g === b.g && a.v < b.v).map((b) => [a.k, b.k])));
    }
    case 'top':
      return lines(
        [...rows]
          .sort((a, b) => b.v - a.v || a.k - b.k)
          .slice(0, 3)
          .map(({ k, v }) => [k, v]),
      );
    case 'over':
      return lines([[rowsOf(state, reads[0]).length]]);
    case 'plain':
      return lines(rows.filter((r) => r.s !== null).map(({ k, g }) => [k, g]));
  }
}

/** Views and indexes that go when these names go. */
function dropCascade(state: State, names: string[]): void {
  const gone = new Set(names);
  for (let more = true; more; ) {
    more = false;
    for (const [name, view] of state.views) {
      if (gone.has(name) || !view.reads.some((r) => gone.has(r))) continue;
      gone.add(name);
      more = true;
    }
  }
  for (const name of gone) {
    state.tables.delete(name);
    state.copies.delete(name);
    state.views.delete(name);
  }
  for (const [index, table] of state.indexes) if (gone.has(table)) state.indexes.delete(index);
  for (const [name, of] of state.subscriptions)
    if ('follows' in of ? gone.has(of.follows) : of.reads.some((r) => gone.has(r))) state.subscriptions.delete(name);
}

interface Operation {
  /** Statements of one transaction. */
  statements: string[];
  apply(state: State): void;
}

class Run {
  readonly #random: (n: number) => number;
  #names = 0;

  constructor(random: (n: number) => number) {
    this.#random = random;
  }

  #pick<T>(items: Iterable<T>): T {
    const list = [...items];
    return list[this.#random(list.length)];
  }

  #name(prefix: string): string {
    return `${prefix}${++this.#names}`;
  }

  next(state: State): Operation {
    const random = this.#random;
    if (state.tables.size === 0 || (state.tables.size < 4 && random(12) === 0)) return this.#createTable();
    switch (random(16)) {
      case 15:
        return state.subscriptions.size < 4 ? this.#createSubscription(state) : this.#write(state);
      case 0:
        return this.#createView(state);
      case 1:
        return this.#drop(state);
      case 2: {
        const table = this.#pick(state.tables.keys());
        const name = this.#name('i');
        return {
          statements: [`CREATE INDEX ${name} ON ${table} (${random(2) === 0 ? 'g' : 'v, s'})`],
          apply: (s) => s.indexes.set(name, table),
        };
      }
      case 14: {
        const from = this.#pick(state.tables.keys());
        const name = this.#name('c');
        const below = random(100);
        // Without a key, so only read from then on.
        return {
          statements: [`CREATE TABLE ${name} AS SELECT k, g, v, s FROM ${from} WHERE v < ${below}`],
          apply: (s) => {
            const rows = [...(s.tables.get(from)?.values() ?? [])].filter((row) => row.v < below);
            s.copies.set(
              name,
              rows.map((row) => ({ ...row })),
            );
          },
        };
      }
      case 3: {
        const table = this.#pick(state.tables.keys());
        return random(4) === 0
          ? { statements: [`TRUNCATE ${table}`], apply: (s) => s.tables.get(table)?.clear() }
          : this.#write(state);
      }
      case 4:
      case 5: {
        const parts = Array.from({ length: 2 + random(3) }, () => this.#write(state));
        return {
          statements: parts.flatMap((p) => p.statements),
          apply: (s) => {
            for (const part of parts) part.apply(s);
          },
        };
      }
      default:
        return this.#write(state);
    }
  }

  #createTable(): Operation {
    const name = this.#name('t');
    return {
      statements: [`CREATE TABLE ${name} (k int PRIMARY KEY, g int, v int, s text)`],
      apply: (s) => s.tables.set(name, new Map()),
    };
  }

  /** What a view or a subscription may be made of. */
  #query(state: State): View {
    const kind = this.#pick(['groups', 'filter', 'join', 'top', 'over', 'plain'] as const);
    const table = this.#pick(state.tables.keys());
    const reads =
      kind === 'join'
        ? [table, this.#pick(state.tables.keys())]
        : kind === 'over'
          ? [this.#pick([...state.views.keys(), table])]
          : [table];
    return { kind, reads };
  }

  #createView(state: State): Operation {
    const name = this.#name('v');
    const { kind, reads } = this.#query(state);
    const materialized = kind === 'plain' ? '' : 'MATERIALIZED ';
    return {
      statements: [`CREATE ${materialized}VIEW ${name} AS ${SQL[kind](reads)}`],
      apply: (s) => s.views.set(name, { kind, reads }),
    };
  }

  #createSubscription(state: State): Operation {
    const name = this.#name('s');
    const stored = [...state.views].filter(([, { kind }]) => kind !== 'plain').map(([view]) => view);
    const follows = this.#pick([...state.tables.keys(), ...state.copies.keys(), ...stored]);
    const of = this.#random(2) === 0 ? { follows } : this.#query(state);
    const target = 'follows' in of ? follows : `(${SQL[of.kind](of.reads)})`;
    return {
      statements: [`CREATE SUBSCRIPTION ${name} FOR ${target}`],
      apply: (s) => s.subscriptions.set(name, of),
    };
  }

  #drop(state: State): Operation {
    const name = this.#pick([
      ...state.views.keys(),
      ...state.indexes.keys(),
      ...state.tables.keys(),
      ...state.copies.keys(),
      ...state.subscriptions.keys(),
    ]);
    if (state.subscriptions.has(name))
      return { statements: [`DROP SUBSCRIPTION ${name}`], apply: (s) => s.subscriptions.delete(name) };
    const view = state.views.get(name);
    if (state.indexes.has(name)) return { statements: [`DROP INDEX ${name}`], apply: (s) => s.indexes.delete(name) };
    const what = view === undefined ? 'TABLE' : view.kind === 'plain' ? 'VIEW' : 'MATERIALIZED VIEW';
    return { statements: [`DROP ${what} ${name} CASCADE`], apply: (s) => dropCascade(s, [name]) };
  }

  #write(state: State): Operation {
    const random = this.#random;
    const table = this.#pick(state.tables.keys());
    const text = (s: string | null) => (s === null ? 'NULL' : `'${s}'`);
    switch (random(4)) {
      case 0: {
        const [from, to, by] = [random(40), random(60), random(9)];
        return {
          statements: [`UPDATE ${table} SET v = v + ${by}, s = s || '.' WHERE k BETWEEN ${from} AND ${to}`],
          apply: (s) => {
            for (const row of s.tables.get(table)?.values() ?? []) {
              if (row.k < from || row.k > to) continue;
              row.v += by;
              if (row.s !== null) row.s += '.';
            }
          },
        };
      }
      case 1: {
        const g = random(5);
        return {
          statements: [`DELETE FROM ${table} WHERE g = ${g} AND k % 2 = 0`],
          apply: (s) => {
            const rows = s.tables.get(table);
            for (const row of [...(rows?.values() ?? [])]) if (row.g === g && row.k % 2 === 0) rows?.delete(row.k);
          },
        };
      }
      default: {
        const rows = Array.from({ length: 1 + random(6) }, (): Row => {
          const long = 'x'.repeat(random(30));
          return { k: random(60), g: random(5), v: random(100), s: random(5) === 0 ? null : `s${random(9)}${long}` };
        });
        const unique = [...new Map(rows.map((row) => [row.k, row])).values()];
        const values = unique.map((r) => `(${r.k}, ${r.g}, ${r.v}, ${text(r.s)})`).join(', ');
        return {
          statements: [
            `INSERT INTO ${table} VALUES ${values} ON CONFLICT (k) DO UPDATE SET g = excluded.g, v = excluded.v, s = excluded.s`,
          ],
          apply: (s) => {
            for (const row of unique) s.tables.get(table)?.set(row.k, { ...row });
          },
        };
      }
    }
  }
}

async function execute(engine: TidemarkEngine, { statements }: Operation): Promise<void> {
  const session = new Session(engine);
  for (const statement of statements) await session.run(statement);
  await session.transaction.commit();
}

/** Where the engine differs from the model; null when it does not. */
async function difference(engine: TidemarkEngine, state: State): Promise<string | null> {
  const { tables, copies, views, indexes, subscriptions } = state;
  const names = [tables, copies, views, indexes, subscriptions].flatMap((of) => [...of.keys()]).sort();
  const there = engine.catalog
    .objects()
    .map((o) => o.name)
    .sort();
  if (JSON.stringify(names) !== JSON.stringify(there)) return `objects are ${there}, not ${names}`;
  for (const name of [...state.tables.keys(), ...state.copies.keys(), ...state.views.keys()]) {
    const found = (await sql(engine, `SELECT * FROM ${name}`)).map((row) => JSON.stringify(row)).sort();
    const wanted = rowsOf(state, name);
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      return `${name} holds\n${found.join('\n')}\nnot\n${wanted.join('\n')}`;
  }
  return null;
}

/** The clients of all subscriptions, each with what it made of the changes and the tick up to which that is. They outlive every crash. */
class Clients {
  readonly #known = new Map<string, { rows: Set<string>; tick: string | null }>();
  /** Rows by tick and relation, as they were. */
  #past: { tick: bigint; state: State }[] = [];

  /** Each hears of what it has not heard of yet; then all have what they follow. */
  async fetch(engine: TidemarkEngine, state: State, where: string): Promise<void> {
    for (const name of this.#known.keys()) if (!state.subscriptions.has(name)) this.#known.delete(name);
    for (const [name, of] of state.subscriptions) {
      const client = this.#known.get(name) ?? { rows: new Set<string>(), tick: null };
      this.#known.set(name, client);
      if (client.tick !== null) await sql(engine, `ACKNOWLEDGE ${name} UP TO ${client.tick}`);
      for (const [tick, diff, ...row] of await sql(engine, `FETCH ALL FROM ${name} WITH (timeout = '0')`)) {
        const text = JSON.stringify(row);
        const label = `${name} at ${tick} (it was at ${client.tick}), ${where}: ${diff} ${text}`;
        assert.ok(tick !== null && (client.tick === null || BigInt(tick) >= BigInt(client.tick)), label);
        assert.equal(diff, client.rows.has(text) ? '-1' : '1', label);
        if (diff === '1') client.rows.add(text);
        else client.rows.delete(text);
      }
      // All that is durable was given, so what was given is whole up to here.
      client.tick = String(engine.ticks.durable);
      const wanted = 'follows' in of ? rowsOf(state, of.follows) : rowsOfView(state, of);
      assert.deepEqual([...client.rows].sort(), wanted, `${name} of ${JSON.stringify(of)}, ${where}`);
    }
  }

  /** The state is acknowledged and will not change any more. */
  note(engine: TidemarkEngine, state: State): void {
    this.#past.push({ tick: engine.loop.tick, state });
  }

  /** Any relation that is there still, as it was at any tick that it was there. */
  async lookBack(engine: TidemarkEngine, state: State, random: (n: number) => number, where: string): Promise<void> {
    const { tick, state: then } = this.#past[random(this.#past.length)];
    const stored = [...state.views].filter(([, { kind }]) => kind !== 'plain').map(([view]) => view);
    for (const name of [...state.tables.keys(), ...state.copies.keys(), ...stored]) {
      if (!then.tables.has(name) && !then.copies.has(name) && !then.views.has(name)) continue;
      const rows = (await sql(engine, `SELECT * FROM ${name} AS OF ${tick}`)).map((row) => JSON.stringify(row)).sort();
      assert.deepEqual(rows, rowsOf(then, name), `${name} AS OF ${tick}, ${where}`);
    }
  }
}

test('any crash leaves what was acknowledged, and one statement in doubt', { timeout: 3_600_000 }, async () => {
  const { random } = seeded('model of crashes');
  const runs = rounds(4, 120);
  for (let i = 0; i < runs; i++) {
    if (i % 10 === 0) progress(`model: run ${i} of ${runs}`);
    const path = join(root, String(i));
    const run = new Run(random);
    let disk = new MemoryDisk();
    disk.writeBytes = random(2) === 0 ? 100 : Number.POSITIVE_INFINITY;
    // Without checkpoints a start does the whole log again.
    const checkpoints = i % 2 === 0 ? null : {};
    const open = async (): Promise<TidemarkEngine> => {
      const engine = await openEngine();
      await openData(engine, {
        path,
        disk,
        segmentBytes: 3000,
        reserveBytes: 20_000,
        aheadBytes: (i % 3) * 700,
        checkpoints,
      });
      return engine;
    };
    // The lock is a real file.
    mkdirSync(path);
    let state = structuredClone(NOTHING);
    const clients = new Clients();
    let engine = await open();
    for (let step = 0; step < 40; step++) {
      const operation = run.next(state);
      const next = structuredClone(state);
      operation.apply(next);
      const where = `run ${i}, step ${step}: ${operation.statements.join('; ')}`;
      // Copied between the operations to come.
      if (checkpoints !== null && random(12) === 0) void engine.checkpoints?.take().catch(assert.fail);
      if (random(5) > 0) {
        await execute(engine, operation);
        state = next;
        clients.note(engine, state);
        if (random(4) === 0) assert.equal(await difference(engine, state), null, where);
        if (random(4) === 0) await clients.fetch(engine, state, where);
        if (random(8) === 0) await clients.lookBack(engine, state, random, where);
        continue;
      }
      // A crash in the middle of it, or shortly after.
      let done = false;
      const running = execute(engine, operation).then(() => {
        done = true;
      });
      for (let turns = random(12); turns > 0; turns--)
        await (random(2) === 0 ? Promise.resolve() : new Promise((resolve) => setImmediate(resolve)));
      const acknowledged = done;
      const crashed = disk.crash((_, unsynced) => random(unsynced + 1));
      crashed.writeBytes = disk.writeBytes;
      await running;
      await engine.close();
      disk = crashed;
      engine = await open();
      const asNext = await difference(engine, next);
      if (asNext !== null) {
        assert.ok(!acknowledged, `${where}: it was acknowledged; ${asNext}`);
        assert.equal(await difference(engine, state), null, where);
      } else state = next;
      clients.note(engine, state);
      await clients.fetch(engine, state, `after a crash, ${where}`);
      await clients.lookBack(engine, state, random, `after a crash, ${where}`);
    }
    assert.equal(await difference(engine, state), null, `run ${i}`);
    await engine.close();
    engine = await open();
    assert.equal(await difference(engine, state), null, `run ${i} after an orderly end`);
    await clients.fetch(engine, state, `run ${i} after an orderly end`);
    await clients.lookBack(engine, state, random, `run ${i} after an orderly end`);
    await engine.close();
  }
});
