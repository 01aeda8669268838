/**
 * Many clients that write the same rows over the wire while the server is killed and started again: transfers between accounts, rows with keys that several
 * clients take, updates that collide. To every reader and subscriber, at every tick, no transfer is seen in parts, no key is there twice, no acknowledged row is lost,
 * none is there that nobody sent, and the views are their queries.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { seeded } from '../engine/harness.ts';

const bin = fileURLToPath(new URL('../../bin/tidemark', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'tidemark-clients-'));
after(() => rmSync(data, { recursive: true, force: true }));

const { random, seed } = seeded('many clients');
const ACCOUNTS = 20;
const EACH = 1000;
const CLIENTS = 12;
const LIVES = 3;
const STEPS_IN_A_LIFE = 600;
/** What a transaction may end with when others were first. */
const OVERTAKEN = new Set(['40001', '23505']);

interface Server {
  child: ChildProcess;
  port: number;
}

function start(): Promise<Server> {
  const child = spawn(process.execPath, [bin, 'start', '--data', data, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (bytes: Buffer) => {
      text += bytes;
      const match = /listens on \S+:(\d+)/.exec(text);
      if (match !== null) resolve({ child, port: Number(match[1]) });
    });
    child.once('close', () => reject(new Error(`the server ended: ${text}`)));
  });
}

async function connect({ port }: Server): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'tester', database: 'postgres' });
  // It ends with a server that is killed.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Ids of rows of `moves` that were acknowledged, and of those about which the client did not hear. */
const acknowledged = new Set<number>();
const unheard = new Set<number>();
/** Updates of `hits`, likewise. */
const hits = { acknowledged: 0, unheard: 0 };
let lastId = 0;
let overtaken = 0;

/** Runs a transaction that adds a row to `moves`, or nothing when others were first. */
async function adding(client: pg.Client, id: number, run: () => Promise<unknown>): Promise<void> {
  unheard.add(id);
  try {
    await run();
    acknowledged.add(id);
  } catch (error) {
    if (!OVERTAKEN.has((error as { code?: string }).code ?? '')) throw error;
    overtaken++;
    await client.query('ROLLBACK');
  }
  unheard.delete(id);
}

/** One transaction of some kind. */
async function step(client: pg.Client): Promise<void> {
  const [from, to, amount] = [1 + random(ACCOUNTS), 1 + random(ACCOUNTS), random(10)];
  const id = ++lastId;
  switch (random(5)) {
    case 0:
      return adding(client, id, async () => {
        await client.query('BEGIN');
        await client.query('UPDATE account SET v = v - $1 WHERE id = $2', [amount, from]);
        await client.query('UPDATE account SET v = v + $1 WHERE id = $2', [amount, to]);
        await client.query('INSERT INTO moves VALUES ($1, $2)', [id, amount]);
        await client.query('COMMIT');
      });
    case 1:
      return adding(client, id, () =>
        client.query(`BEGIN; UPDATE account SET v = v - ${amount} WHERE id = ${from};
          UPDATE account SET v = v + ${amount} WHERE id = ${to}; INSERT INTO moves VALUES (${id}, ${amount}); COMMIT`),
      );
    case 2:
      return adding(client, id, () => client.query('INSERT INTO moves VALUES ($1, $2)', [id, amount]));
    case 3:
      // A key that others take, and a row that all change: neither fails.
      await client.query('INSERT INTO taken VALUES ($1, $2) ON CONFLICT DO NOTHING', [random(50), id]);
      hits.unheard++;
      await client.query('UPDATE hits SET n = n + 1');
      hits.unheard--;
      hits.acknowledged++;
      return;
    default: {
      const { rows } = await client.query('SELECT n, v FROM total');
      assert.deepEqual(rows, [{ n: `${ACCOUNTS}`, v: `${ACCOUNTS * EACH}` }], `seed ${seed}`);
    }
  }
}

/** A server's life: so many steps of all clients together, then it is killed where it is. */
class Life {
  readonly #server: Server;
  #left = STEPS_IN_A_LIFE;
  #killed = false;

  constructor(server: Server) {
    this.#server = server;
  }

  async run(): Promise<void> {
    const { child } = this.#server;
    const ended = new Promise((resolve) => child.once('close', resolve));
    await Promise.all([this.#subscribe(), ...Array.from({ length: CLIENTS }, () => this.#work())]);
    await ended;
  }

  async #work(): Promise<void> {
    const client = await connect(this.#server);
    try {
      while (!this.#killed) {
        if (this.#left-- === 0) {
          this.#killed = true;
          this.#server.child.kill('SIGKILL');
        }
        await step(client);
      }
    } catch (error) {
      if (!this.#killed || error instanceof assert.AssertionError) throw error;
    }
  }

  async #subscribe(): Promise<void> {
    const client = await connect(this.#server);
    const query = new pg.Query('SUBSCRIBE total');
    const seen: unknown[] = [];
    query.on('row', ({ v }: { v: unknown }) => seen.push(v));
    await new Promise<unknown>((resolve) => {
      query.on('error', resolve);
      client.query(query);
    });
    assert.deepEqual(new Set(seen), new Set([`${ACCOUNTS * EACH}`]), `seed ${seed}`);
  }
}

async function check(client: pg.Client, label: string): Promise<void> {
  const rows = async (text: string) => (await client.query({ text, rowMode: 'array' })).rows;
  assert.deepEqual(await rows('SELECT n, v FROM total'), [[`${ACCOUNTS}`, `${ACCOUNTS * EACH}`]], label);
  assert.deepEqual(
    await rows('SELECT count(DISTINCT id), sum(v) FROM account'),
    await rows('SELECT * FROM total'),
    label,
  );
  assert.deepEqual(await rows('SELECT count(*), sum(amount) FROM moves'), await rows('SELECT * FROM moved'), label);
  assert.deepEqual(await rows('SELECT id FROM taken GROUP BY id HAVING count(*) > 1'), [], label);
  const ids = (await rows('SELECT id FROM moves')).map(([id]) => id as number);
  const there = new Set(ids);
  assert.equal(there.size, ids.length, label);
  for (const id of acknowledged) assert.ok(there.has(id), `row ${id} is lost, ${label}`);
  for (const id of ids) assert.ok(acknowledged.has(id) || unheard.has(id), `row ${id} was taken back, ${label}`);
  const [[n]] = (await rows('SELECT n FROM hits')) as number[][];
  assert.ok(n >= hits.acknowledged && n <= hits.acknowledged + hits.unheard, `${n} hits, ${label}`);
}

test('many clients and kills', { timeout: 300_000 }, async () => {
  let server = await start();
  const setup = await connect(server);
  await setup.query(`CREATE TABLE account (id int PRIMARY KEY, v bigint NOT NULL);
    CREATE TABLE moves (id int PRIMARY KEY, amount int NOT NULL);
    CREATE TABLE taken (id int PRIMARY KEY, by int);
    CREATE TABLE hits (n int);
    INSERT INTO account SELECT g, ${EACH} FROM generate_series(1, ${ACCOUNTS}) g;
    INSERT INTO hits VALUES (0);
    CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n, sum(v) AS v FROM account;
    CREATE MATERIALIZED VIEW moved AS SELECT count(*), sum(amount) FROM moves`);
  await setup.end();
  for (let life = 0; life < LIVES; life++) {
    await new Life(server).run();
    server = await start();
    const client = await connect(server);
    await check(client, `life ${life}, seed ${seed}`);
    await client.end();
  }
  assert.ok(overtaken > 0, 'no transaction met another');
  const ended = new Promise((resolve) => server.child.once('close', resolve));
  server.child.kill('SIGTERM');
  await ended;
});
