/**
 * State returns to (near) nothing: after all rows are deleted, however they came, and after windows have closed and rows have grown old for an hour. Counted in pages of state
 * memory and bytes of the directory, over restarts.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';

/** For the lock; everything else lies in a MemoryDisk. */
const path = mkdtempSync(join(tmpdir(), 'tidemark-nothing-'));
after(() => rmSync(path, { recursive: true, force: true }));

const DAY = 86_400_000_000n;

class World {
  readonly topic = new MessageSource();
  disk = new MemoryDisk();
  now = 9000n * DAY;
  engine!: TidemarkEngine;

  async open(): Promise<void> {
    this.engine = await openEngine({ clock: () => this.now, openSource: () => this.topic });
    const checkpoints = { seconds: 1e6, logBytes: 1e9 };
    await openData(this.engine, { path, disk: this.disk, segmentBytes: 16_384, reserveBytes: 20_000, checkpoints });
  }

  /** Rows and bytes of all operators' state, without what views hold for their readers. */
  get state(): { rows: number; bytes: number } {
    const sum = { rows: 0, bytes: 0 };
    for (const node of this.engine.loop.graph.nodes()) {
      const { stateRows, stateBytes } = node.figures();
      sum.rows += stateRows;
      sum.bytes += stateBytes;
    }
    return sum;
  }
}

const VIEWS: Record<string, string> = {
  groups:
    'SELECT g, count(*) AS n, sum(v) AS s, min(s) AS low, max(s) AS high, count(DISTINCT s) AS d FROM a GROUP BY g',
  listed: "SELECT g, string_agg(s, ',' ORDER BY k) AS l FROM a GROUP BY g",
  joined: 'SELECT a.k, b.k AS other FROM a JOIN b ON a.g = b.g AND a.v > b.v',
  outer_joined: 'SELECT a.k, b.k AS other FROM a FULL JOIN b ON a.k = b.k',
  missing: 'SELECT k FROM a WHERE NOT EXISTS (SELECT FROM b WHERE b.g = a.g)',
  best: 'SELECT * FROM (SELECT g, k, row_number() OVER (PARTITION BY g ORDER BY v DESC, k) AS r FROM a) x WHERE r <= 2',
  numbered:
    'SELECT k, lag(k) OVER (PARTITION BY g ORDER BY k) AS p, sum(v) OVER (PARTITION BY g ORDER BY k) AS s FROM b',
  distinct_g: 'SELECT DISTINCT g, s FROM a',
  excepted: 'SELECT g FROM a EXCEPT ALL SELECT g FROM b',
  failing: 'SELECT k, 10 / g AS q FROM a',
};

test('after all rows are deleted there is next to nothing', { timeout: 120_000 }, async () => {
  const { random } = seeded('all rows deleted');
  const world = new World();
  await world.open();
  await sql(
    world.engine,
    'CREATE TABLE a (k int PRIMARY KEY, g int, v int, s text); CREATE TABLE b (k int PRIMARY KEY, g int, v int, s text)',
  );
  for (const [name, query] of Object.entries(VIEWS))
    await sql(world.engine, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  await sql(world.engine, 'CHECKPOINT');
  const empty = { ...world.state, pages: pages.usedPages };
  const fill = async () => {
    for (const table of ['a', 'b'])
      await sql(
        world.engine,
        `INSERT INTO ${table} SELECT i, i % ${20 + random(30)}, i % 97, repeat('x', i % ${20 + random(60)}) FROM generate_series(1, 700) i`,
      );
    await sql(world.engine, 'UPDATE a SET v = v + 1, s = s || g::text WHERE k % 3 = 0');
  };
  /** Least left: a table that was large keeps the room of its slots, and its rows' memory goes back page by page. */
  const left: number[] = [];
  for (let round = 0; round < 8; round++) {
    await fill();
    const full = world.state;
    assert.ok(full.rows > 2500);
    await sql(world.engine, 'CHECKPOINT');
    if (round === 2) {
      await world.engine.close();
      await world.open();
    }
    if (random(2) === 0) for (let i = 0; i < 10; i++) await sql(world.engine, `DELETE FROM a WHERE k % 10 = ${i}`);
    else await sql(world.engine, 'TRUNCATE a');
    await sql(world.engine, 'DELETE FROM b');
    for (const name of Object.keys(VIEWS))
      assert.deepEqual(await sql(world.engine, `SELECT count(*) FROM ${name}`), [['0']], name);
    assert.equal(world.state.rows, empty.rows, `rows of state, round ${round}`);
    assert.deepEqual(await sql(world.engine, "SELECT count(*) FROM tidemark.errors('failing')"), [['0']]);
    await sql(world.engine, 'CHECKPOINT');
    left.push(pages.usedPages - empty.pages);
  }
  // How much a round leaves depends on what was where; that later ones leave more than earlier ones would be a leak.
  assert.ok(
    Math.max(...left.slice(4)) <= 1.5 * Math.max(...left.slice(0, 4)) + 16,
    `pages left after each round: ${left}`,
  );
  await world.engine.close();
});

test('an hour of closed windows leaves memory and directory flat', { timeout: 240_000 }, async () => {
  const { random } = seeded('an hour of windows');
  const world = new World();
  await world.open();
  await sql(
    world.engine,
    `CREATE TABLE recent (at timestamptz, k int, price int);
     CREATE STREAM clicks (at timestamptz, k int, WATERMARK FOR at AS at - INTERVAL '2 seconds')
       WITH (connector = 'kafka', brokers = 'memory', topic = 't', idle_timeout = '1 hour');
     CREATE MATERIALIZED VIEW windows AS SELECT window_start, count(*) AS n, count(DISTINCT k) AS d
       FROM TUMBLE(clicks, at, INTERVAL '10 seconds') WHERE at > now() - INTERVAL '1 minute' GROUP BY window_start;
     CREATE MATERIALIZED VIEW minute AS SELECT k, count(*) AS n, max(price) AS m FROM recent WHERE at > now() - INTERVAL '1 minute' GROUP BY k;
     CREATE MATERIALIZED VIEW best AS SELECT * FROM (SELECT k, price, row_number() OVER (ORDER BY price DESC, k, at) AS r FROM recent WHERE at > now() - INTERVAL '20 seconds') x WHERE r <= 3;`,
  );
  const STEP = 10_000_000n;
  const seen: { rows: number; pages: number; disk: number }[] = [];
  for (let tick = 0; tick < 360; tick++) {
    world.now += STEP;
    const rows = Array.from(
      { length: 12 },
      () => `(now() - INTERVAL '${random(4000)} milliseconds', ${random(50)}, ${random(1000)})`,
    );
    await sql(world.engine, `INSERT INTO recent VALUES ${rows.join(', ')}`);
    const at = new Date(Date.UTC(2000, 0, 1) + Number(world.now / 1000n) - random(4000)).toISOString();
    world.topic.send(...Array.from({ length: 8 }, () => ({ value: JSON.stringify({ at, k: random(6) }) })));
    world.engine.sourceTicks.pump();
    await sql(world.engine, "DELETE FROM recent WHERE at < now() - INTERVAL '2 minutes'");
    if (tick % 30 !== 29) continue;
    await sql(world.engine, 'CHECKPOINT');
    if (tick % 120 === 119) {
      await world.engine.close();
      await world.open();
    }
    seen.push({ rows: world.state.rows, pages: pages.usedPages, disk: world.disk.used });
  }
  for (const of of ['rows', 'pages', 'disk'] as const) {
    const values = seen.map((s) => s[of]);
    const [early, late] = [Math.max(...values.slice(0, 4)), Math.max(...values.slice(4))];
    assert.ok(late <= early * 1.3 + 8, `${of}: ${values}`);
  }
  await world.engine.close();
});
