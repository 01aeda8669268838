/** Durable subscriptions: what a client makes of fetched and acknowledged changes is the view, over any number of kills; nothing twice, nothing left out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type pg from 'pg';
import { seeded } from '../engine/harness.ts';
import { Child, pause, rounds } from '../faults/child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-subscriptions-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Change {
  tick: string;
  progress: boolean;
  diff: string | null;
  g: number;
  n: string;
}

/** A client that keeps what it has and the tick it is at together, as a transaction of its own database would. */
class Consumer {
  rows = new Map<string, number>();
  tick: string | null = null;
  readonly seen = new Set<string>();
  ticks = 0;
  #part: Change[] = [];

  /** Fetches until the server goes away. */
  async run(client: pg.Client, random: (n: number) => number): Promise<void> {
    this.#part = [];
    if (this.tick !== null) await client.query(`ACKNOWLEDGE s UP TO ${this.tick}`);
    for (;;) {
      const { rows } = await client.query<Change>(`FETCH ${1 + random(20)} FROM s WITH (timeout = '50ms')`);
      for (const row of rows) this.#take(row);
      if (this.tick !== null && random(3) === 0) await client.query(`ACKNOWLEDGE s UP TO ${this.tick}`);
    }
  }

  #take(row: Change): void {
    if (!row.progress) {
      this.#part.push(row);
      return;
    }
    if (this.#part.length > 0) {
      assert.ok(!this.seen.has(row.tick), `tick ${row.tick} came again`);
      this.seen.add(row.tick);
      this.ticks++;
    }
    for (const { g, n, diff, tick } of this.#part) {
      assert.equal(tick, row.tick);
      const key = `${g} ${n}`;
      const weight = (this.rows.get(key) ?? 0) + Number(diff);
      assert.ok(weight === 0 || weight === 1, `${key} has weight ${weight} at tick ${tick}`);
      if (weight === 0) this.rows.delete(key);
      else this.rows.set(key, weight);
    }
    this.#part = [];
    this.tick = row.tick;
  }
}

async function write(client: pg.Client, random: (n: number) => number): Promise<void> {
  for (;;) {
    const k = random(200);
    await client.query(
      random(4) === 0
        ? `DELETE FROM t WHERE k % 10 = ${random(10)}`
        : `INSERT INTO t SELECT k, k % 17 FROM generate_series(${k}, ${k + random(30)}) k ON CONFLICT (k) DO NOTHING`,
    );
  }
}

const goesAway = (error: { code?: string; message: string }) => {
  if (error.code !== undefined && !error.code.startsWith('57') && !error.code.startsWith('E')) throw error;
  if (/came again|has weight|Expected/.test(error.message)) throw error;
};

const COUNTS = 'SELECT g, count(*) AS n FROM t GROUP BY g';

for (const target of ['v', `(${COUNTS})`])
  test(
    `kill -9 while a client fetches and acknowledges, FOR ${target}: each change exactly once`,
    {
      timeout: 600_000,
    },
    () => killed(target),
  );

async function killed(target: string): Promise<void> {
  const { random } = seeded('subscriptions');
  const data = join(root, target === 'v' ? 'view' : 'query');
  let child = await Child.start(data);
  let client = await child.connect();
  await client.query('CREATE TABLE t (k int PRIMARY KEY, g int)');
  await client.query(`CREATE MATERIALIZED VIEW v AS ${COUNTS}`);
  await client.query('INSERT INTO t SELECT k, k % 17 FROM generate_series(1, 50) k');
  await client.query(`CREATE SUBSCRIPTION s FOR ${target} WITH (retention = '1 day', progress = true)`);
  await client.end();
  const consumer = new Consumer();
  for (let round = 0; round < rounds(4, 30); round++) {
    const [writer, reader, other] = [await child.connect(), await child.connect(), await child.connect()];
    const work = [write(writer, random).catch(goesAway), consumer.run(reader, random).catch(goesAway)];
    const before = consumer.ticks;
    while (consumer.ticks < before + 5) await pause(20);
    if (random(2) === 0) await other.query('CHECKPOINT');
    await pause(random(300));
    await child.kill();
    await Promise.all(work);
    child = await Child.start(data);
  }
  client = await child.connect();
  const run = consumer.run(client, random).catch(goesAway);
  const { rows } = await (async () => {
    const asking = await child.connect();
    const result = await asking.query<{ g: number; n: string }>('SELECT g, n FROM v');
    await asking.end();
    return result;
  })();
  const wanted = rows.map(({ g, n }) => `${g} ${n}`).sort();
  const end = Date.now() + 30_000;
  while (JSON.stringify([...consumer.rows.keys()].sort()) !== JSON.stringify(wanted) && Date.now() < end)
    await pause(20);
  assert.deepEqual([...consumer.rows.keys()].sort(), wanted);
  await child.kill();
  await run;
  console.log(`# ${consumer.ticks} ticks`);
}

test('one session goes on where it was; another begins after what was acknowledged; what must not be is refused', async () => {
  const data = join(root, 'sessions');
  let child = await Child.start(data);
  let client = await child.connect();
  const run = async (text: string) => (await client.query({ text, rowMode: 'array' })).rows as unknown[][];
  const code = (text: string) =>
    client.query(text).then(
      () => '',
      (e: { code: string }) => e.code,
    );
  try {
    await client.query('CREATE TABLE t (a int)');
    await client.query('INSERT INTO t VALUES (1)');
    await client.query('CREATE SUBSCRIPTION s FOR t');
    const [[first]] = await run("FETCH 10 FROM s WITH (timeout = '1s')");
    assert.deepEqual(await run("FETCH 10 FROM s WITH (timeout = '0')"), []);
    await client.query('INSERT INTO t VALUES (2), (3)');
    const [[tick, diff]] = await run('FETCH 1 FROM s');
    assert.equal(diff, '1');
    assert.equal(await code(`ACKNOWLEDGE s UP TO ${tick}`), '55000');
    await client.query(`ACKNOWLEDGE s UP TO ${first}`);
    assert.equal((await run('FETCH 5 FROM s')).length, 1);
    assert.equal(await code('ACKNOWLEDGE s UP TO 99999'), '22023');
    assert.equal(await code('DROP TABLE t'), '2BP01');
    assert.equal(await code('ACKNOWLEDGE nothing UP TO 1'), '42704');
    // A cancelled FETCH gives its rows again.
    await client.query("SET statement_timeout = '100ms'");
    assert.equal(await code('FETCH 5 FROM s'), '57014');
    await client.query('RESET statement_timeout');
    await client.query('INSERT INTO t VALUES (4)');
    assert.deepEqual(
      (await run('FETCH 5 FROM s')).map((row) => row.slice(1)),
      [['1', 4]],
    );
    await child.kill();
    child = await Child.start(data);
    client = await child.connect();
    const again = await run('FETCH 5 FROM s');
    assert.deepEqual(again.map((row) => row[2]).sort(), [2, 3, 4]);
    const [[name, relation, position]] = await run('SELECT name, relation, position FROM tidemark.subscriptions');
    assert.deepEqual([name, relation, position], ['s', 't', first]);
    assert.deepEqual(await run(`SELECT a FROM t AS OF ${first}`), [[1]]);
    await client.query('DROP SUBSCRIPTION s');
    assert.equal(await code('FETCH 1 FROM s'), '34000');
    await client.end();
  } finally {
    await child.kill();
  }
});
