/** Logical replication: readers of pgoutput follow tables and views, from where they were, over restarts; what they add up to is what the views have. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { parseLsn } from '../../src/postgres/replication/lsn.ts';
import { seeded } from '../engine/harness.ts';
import { type Change, Follower, nothing } from './pgoutput_reader.ts';
import { type ClientServer, startServer } from './server.ts';
import { refused, rows } from './sessions.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-replication-'));
after(() => rmSync(root, { recursive: true, force: true }));

async function withServer(name: string, act: (server: ClientServer, sql: pg.Client) => Promise<void>): Promise<void> {
  const server = await startServer({ data: join(root, name) });
  const sql = new pg.Client(server.config);
  await sql.connect();
  try {
    await act(server, sql);
  } finally {
    await sql.end();
    await server.close();
  }
}

const SCHEMA = `
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TABLE t (id int PRIMARY KEY, v text, n numeric, m mood, at timestamptz, list int[]);
  CREATE MATERIALIZED VIEW by_v AS SELECT v, count(*) AS n, sum(n) AS total FROM t GROUP BY v;
  CREATE STREAM s (k int, note text);
  CREATE PUBLICATION p FOR TABLE t, by_v, s;`;

test('a reader has rows, updates and deletions of tables, streams and views, with their types and NULLs', () =>
  withServer('types', async (server, sql) => {
    await sql.query(SCHEMA);
    const follower = await Follower.start(server.config, 'f', 'p');
    await sql.query(
      `INSERT INTO t VALUES (1, 'a', 1.50, 'ok', '2026-01-01 00:00:00Z', '{1,NULL}'), (2, NULL, NULL, NULL, NULL, NULL)`,
    );
    await sql.query(`UPDATE t SET v = 'a' WHERE id = 2`);
    await sql.query(`UPDATE t SET id = 3 WHERE id = 1`);
    await sql.query(`INSERT INTO s VALUES (7, 'x'), (7, 'x')`);
    await sql.query('DELETE FROM t');
    await follower.until(5);
    const shown = ({ kind, relation, old, row }: Change) => [
      kind,
      relation,
      ...[old, row].filter((one) => one !== null),
    ];
    const changes = follower.transactions.map((transaction) => transaction.map(shown).sort(byText));
    assert.deepEqual(
      changes,
      [
        [
          ['I', 't', ['1', 'a', '1.50', 'ok', '2026-01-01 00:00:00+00', '{1,NULL}']],
          ['I', 't', ['2', null, null, null, null, null]],
          ['I', 'by_v', ['a', '1', '1.50']],
          ['I', 'by_v', [null, '1', null]],
        ],
        [
          ['U', 't', ['2', 'a', null, null, null, null]],
          ['D', 'by_v', [null, '1', null]],
          ['U', 'by_v', ['a', '1', '1.50'], ['a', '2', '1.50']],
        ],
        [
          ['D', 't', ['1', null, null, null, null, null]],
          ['I', 't', ['3', 'a', '1.50', 'ok', '2026-01-01 00:00:00+00', '{1,NULL}']],
        ],
        [
          ['I', 's', ['7', 'x']],
          ['I', 's', ['7', 'x']],
        ],
        [
          ['D', 't', ['2', null, null, null, null, null]],
          ['D', 't', ['3', null, null, null, null, null]],
          ['D', 'by_v', ['a', '2', '1.50']],
        ],
      ].map((transaction) => transaction.sort(byText)),
    );
    await follower.end();
  }));

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

test('what a reader adds up is what the relations have: random changes, readers that stop and go on, kills of neither', () =>
  withServer('random', async (server, sql) => {
    const { random } = seeded('replication');
    await sql.query(`${SCHEMA} CREATE MATERIALIZED VIEW pairs AS SELECT a.v, b.v AS w FROM t a JOIN t b ON a.id + 1 = b.id;
      ALTER PUBLICATION p ADD TABLE pairs`);
    let follower = await Follower.start(server.config, 'f', 'p');
    for (let step = 0; step < 60; step++) {
      const id = random(20);
      const value = ['a', 'b', 'c'][random(3)];
      const [text] = [
        [
          `INSERT INTO t (id, v, n) VALUES (${id}, '${value}', ${random(9)}) ON CONFLICT (id) DO UPDATE SET v = excluded.v`,
        ],
        [`UPDATE t SET v = '${value}', n = n + 1 WHERE id % 3 = ${id % 3}`],
        [`UPDATE t SET id = id + 100 WHERE id < ${id} AND NOT EXISTS (SELECT FROM t o WHERE o.id > 99)`],
        [`DELETE FROM t WHERE id % 7 = ${id % 7}`],
        ['TRUNCATE t'],
      ][random(25) === 0 ? 4 : [0, 0, 0, 1, 2, 3][random(6)]] as [string];
      await sql.query(text).catch((error: pg.DatabaseError) => assert.equal(error.code, '23505'));
      if (random(6) > 0) continue;
      // Gone without a word; what it has confirmed is not sent again, the rest is.
      const known = follower;
      await (random(2) === 0 ? follower.end() : follower.cut());
      follower = await Follower.start(server.config, 'f', 'p', known);
    }
    const { rows: ticks } = await sql.query('SELECT tidemark_tick() AS tick');
    await follower.upTo(BigInt(ticks[0].tick));
    const columns = { t: ['id', 'v', 'n', 'm', 'at', 'list'], by_v: ['v', 'n', 'total'], pairs: ['v', 'w'] };
    for (const [relation, names] of Object.entries(columns)) {
      const found = await rows(sql, `SELECT ${names.map((name) => `${name}::text`)} FROM ${relation}`);
      assert.deepEqual(follower.rowsOf(relation), found.map((row) => JSON.stringify(row)).sort(), relation);
    }
    assert.ok(follower.transactions.length > 10);
    await follower.end();
  }));

test('a slot stays where its reader was, over a restart; a temporary one goes with its connection', async () => {
  await withServer('restart', async (server, sql) => {
    await sql.query(`${SCHEMA} INSERT INTO t (id, v) VALUES (1, 'a')`);
    const follower = await Follower.start(server.config, 'kept', 'p');
    await sql.query(`INSERT INTO t (id, v) VALUES (2, 'b')`);
    await follower.until(1);
    await follower.end();
    const passing = await Follower.start(server.config, 'passing', 'p', null, 'TEMPORARY');
    await passing.end();
    await sql.query(`INSERT INTO t (id, v) VALUES (3, 'c'); CHECKPOINT`);
  });
  await withServer('restart', async (server, sql) => {
    assert.deepEqual(await rows(sql, 'SELECT slot_name, active, temporary FROM pg_replication_slots'), [
      ['kept', false, false],
    ]);
    const follower = await Follower.start(server.config, 'kept', 'p', nothing());
    await follower.until(1);
    const [first] = follower.transactions;
    assert.deepEqual(
      first.filter(({ relation }) => relation === 't').map(({ row }) => row?.[0]),
      ['3'],
    );
    await follower.end();
    await sql.query('DROP REPLICATION SLOT kept; DROP PUBLICATION p');
    assert.deepEqual(await rows(sql, 'SELECT slot_name FROM pg_replication_slots'), []);
    assert.deepEqual(await rows(sql, 'SELECT * FROM pg_publication_tables'), []);
  });
});

test('what is refused: slots in use or unknown, other plugins, publications that are not there, roles without REPLICATION', () =>
  withServer('refused', async (server, sql) => {
    await sql.query(`${SCHEMA} CREATE ROLE plain LOGIN; CREATE ROLE reader LOGIN REPLICATION`);
    const follower = await Follower.start(server.config, 'f', 'p');
    const other = new pg.Client({ ...server.config, replication: 'database' } as pg.ClientConfig);
    await other.connect();
    const start = (slot: string, publication: string) =>
      other.query(
        `START_REPLICATION SLOT "${slot}" LOGICAL 0/0 (proto_version '1', publication_names '${publication}')`,
      );
    await assert.rejects(start('f', 'p'), refused('55006', /active for PID/));
    await assert.rejects(other.query('DROP_REPLICATION_SLOT f'), refused('55006'));
    await assert.rejects(sql.query('DROP REPLICATION SLOT f'), refused('55006', /active for PID/));
    await other.query('BEGIN');
    await assert.rejects(start('f', 'p'), refused('25001'));
    await other.query('ROLLBACK');
    await assert.rejects(start('none', 'p'), refused('42704', /slot "none"/));
    await assert.rejects(other.query('CREATE_REPLICATION_SLOT f LOGICAL pgoutput'), refused('42710'));
    await assert.rejects(other.query('CREATE_REPLICATION_SLOT g LOGICAL wal2json'), refused('42704', /wal2json/));
    await assert.rejects(other.query('CREATE_REPLICATION_SLOT "G h" LOGICAL pgoutput'), refused('42602'));
    await assert.rejects(other.query('CREATE_REPLICATION_SLOT g PHYSICAL'), refused('0A000'));
    await assert.rejects(other.query("CREATE_REPLICATION_SLOT g LOGICAL pgoutput (SNAPSHOT 'use')"), refused('0A000'));
    await assert.rejects(other.query('START_REPLICATION SLOT f LOGICAL nowhere'), refused('22P02'));
    await assert.rejects(other.query('BASE_BACKUP'), refused('0A000'));
    await other.query('CREATE_REPLICATION_SLOT g LOGICAL pgoutput');
    await assert.rejects(start('g', 'nothing'), refused('42704', /publication "nothing"/));
    assert.equal((await other.query('SELECT 1 AS one')).rows[0].one, 1);
    const { rows: system } = await other.query('IDENTIFY_SYSTEM');
    assert.equal(system[0].dbname, 'db');
    await other.end();
    await follower.end();
    const asRole = (user: string) =>
      new pg.Client({ ...server.config, user, replication: 'database' } as pg.ClientConfig);
    const plain = asRole('plain');
    await assert.rejects(plain.connect(), refused('42501', /WAL sender/));
    const reader = asRole('reader');
    await reader.connect();
    await reader.end();
    await assert.rejects(sql.query('CREATE_REPLICATION_SLOT x LOGICAL pgoutput'), refused('42601'));
  }));

test('a snapshot and the changes after it are all there is: a slot made in a transaction that reads', () =>
  withServer('snapshot', async (server, sql) => {
    await sql.query(`${SCHEMA} INSERT INTO t (id, v) SELECT i, 'x' FROM generate_series(1, 100) i`);
    const copier = new pg.Client({ ...server.config, replication: 'database' } as pg.ClientConfig);
    await copier.connect();
    await copier.query('BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ');
    const made = await copier.query("CREATE_REPLICATION_SLOT f LOGICAL pgoutput (SNAPSHOT 'use')");
    await sql.query('DELETE FROM t WHERE id > 90; INSERT INTO t (id) VALUES (1000)');
    assert.equal((await copier.query('SELECT count(*)::int AS n FROM t')).rows[0].n, 100);
    await copier.query('COMMIT');
    await copier.end();
    const known = { ...nothing(), position: parseLsn(made.rows[0].consistent_point) };
    const follower = await Follower.start(server.config, 'f', 'p', known);
    await follower.until(1);
    const changed = follower.transactions.flat().filter(({ relation }) => relation === 't');
    assert.equal(changed.filter(({ kind }) => kind === 'D').length, 10);
    assert.equal(changed.filter(({ kind }) => kind === 'I').length, 1);
    await follower.end();
  }));

test('publications: what is added, dropped, renamed and filtered while a reader follows', () =>
  withServer('alter', async (server, sql) => {
    await sql.query(
      `${SCHEMA} CREATE TABLE other (id int PRIMARY KEY); CREATE PUBLICATION part FOR TABLE t WITH (publish = 'insert, delete')`,
    );
    const follower = await Follower.start(server.config, 'f', 'part');
    await sql.query("INSERT INTO t (id, v) VALUES (1, 'a')");
    await sql.query("UPDATE t SET v = 'b'");
    await sql.query('ALTER PUBLICATION part ADD TABLE other');
    await sql.query('INSERT INTO other VALUES (5)');
    await sql.query('ALTER TABLE other RENAME TO another');
    await sql.query('INSERT INTO another VALUES (6)');
    await sql.query('ALTER PUBLICATION part DROP TABLE t');
    await sql.query('INSERT INTO t (id) VALUES (2)');
    await sql.query('DROP TABLE t CASCADE');
    await sql.query('INSERT INTO another VALUES (7)');
    const seen = () => follower.transactions.flat().map(({ kind, relation, row }) => [kind, relation, row?.[0]]);
    await follower.upTo(BigInt((await rows(sql, 'SELECT tidemark_tick()'))[0][0] as string));
    assert.deepEqual(seen(), [
      ['I', 't', '1'],
      ['I', 'other', '5'],
      ['I', 'another', '6'],
      ['I', 'another', '7'],
    ]);
    await follower.end();
    await assert.rejects(sql.query('CREATE PUBLICATION p FOR ALL TABLES'), refused('42710'));
    await assert.rejects(sql.query('CREATE PUBLICATION q FOR TABLE nothing'), refused('42P01'));
    await assert.rejects(sql.query('CREATE PUBLICATION q FOR TABLE pg_class'), refused('22023'));
    await assert.rejects(sql.query('CREATE PUBLICATION q FOR TABLE another (id)'), refused('0A000'));
    await assert.rejects(sql.query("CREATE PUBLICATION q WITH (publish = 'nothing')"), refused('42601'));
    await assert.rejects(sql.query('ALTER PUBLICATION part ADD TABLE another'), refused('42710'));
    await assert.rejects(sql.query('DROP PUBLICATION q'), refused('42704'));
  }));

test('a slot whose changes are given up says so', () =>
  withServer('retention', async (server, sql) => {
    await sql.query(
      `CREATE TABLE brief (id int PRIMARY KEY, v text) WITH (retention = '100 kB'); CREATE PUBLICATION p FOR TABLE brief`,
    );
    const follower = await Follower.start(server.config, 'f', 'p');
    await follower.end();
    for (let i = 0; i < 20; i++)
      await sql.query(`INSERT INTO brief SELECT ${i} * 1000 + g, repeat('x', 100) FROM generate_series(1, 500) g`);
    const again = new pg.Client({ ...server.config, replication: 'database' } as pg.ClientConfig);
    await again.connect();
    await assert.rejects(
      again.query("START_REPLICATION SLOT f LOGICAL 0/0 (proto_version '1', publication_names 'p')"),
      refused('55000', /brief/),
    );
    await again.end();
  }));

test('publications and slots of a transaction go with it, and are no part of a schema', () =>
  withServer('transactions', async (_server, sql) => {
    await sql.query(`${SCHEMA} CREATE REPLICATION SLOT kept`);
    const names = () =>
      rows(sql, 'SELECT pubname::text FROM pg_publication UNION ALL SELECT slot_name::text FROM pg_replication_slots');
    await sql.query('BEGIN; CREATE PUBLICATION q FOR ALL TABLES; CREATE REPLICATION SLOT passing; ROLLBACK');
    assert.deepEqual(await names(), [['p'], ['kept']]);
    await sql.query('BEGIN; DROP REPLICATION SLOT kept; DROP PUBLICATION p; ROLLBACK');
    assert.deepEqual(await names(), [['p'], ['kept']]);
    await sql.query(`BEGIN; DROP REPLICATION SLOT kept; CREATE REPLICATION SLOT kept;
      DROP PUBLICATION p; CREATE PUBLICATION p FOR TABLE t; COMMIT`);
    assert.deepEqual(await names(), [['p'], ['kept']]);
    await sql.query('DROP SCHEMA public CASCADE');
    assert.deepEqual(await names(), [['p'], ['kept']]);
    await sql.query('CREATE SCHEMA public; CREATE ROLE plain LOGIN; CREATE ROLE reader LOGIN REPLICATION');
    await sql.query('SET ROLE plain');
    await assert.rejects(sql.query('CREATE REPLICATION SLOT of_plain'), refused('42501', /replication role/));
    await sql.query('SET ROLE reader; CREATE REPLICATION SLOT of_reader; RESET ROLE');
  }));

test('an open transaction with a slot does not outlive its server', async () => {
  const data = join(root, 'left');
  const program = spawn(process.execPath, [
    '--import',
    'tsx',
    'src/main.ts',
    'start',
    '--data',
    data,
    '--listen',
    '127.0.0.1:0',
  ]);
  const [, port] = await new Promise<RegExpMatchArray>((resolve) => {
    let said = '';
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (chunk) => {
        said += chunk;
        const match = said.match(/listens on 127.0.0.1:(\d+)/);
        if (match !== null) resolve(match);
      });
  });
  const open = new pg.Client({ host: '127.0.0.1', port: Number(port), user: 'tidemark', database: 'db' });
  open.on('error', () => undefined);
  await open.connect();
  await open.query('CREATE TABLE t (id int PRIMARY KEY)');
  await open.query('BEGIN');
  await open.query('CREATE PUBLICATION p FOR TABLE t');
  await open.query('CREATE REPLICATION SLOT s');
  program.kill('SIGKILL');
  await once(program, 'exit');
  await withServer('left', async (_server, sql) => {
    assert.deepEqual(await rows(sql, 'SELECT slot_name FROM pg_replication_slots'), []);
    assert.deepEqual(await rows(sql, 'SELECT pubname FROM pg_publication'), []);
  });
});

test('the end of a transaction is not told in its midst', () =>
  withServer('midst', async (server, sql) => {
    await sql.query(SCHEMA);
    const follower = await Follower.start(server.config, 'f', 'p');
    const resting = follower.rest(1500);
    await sql.query(`INSERT INTO t (id, v) SELECT i, repeat('x', 200) FROM generate_series(1, 100000) i`);
    for (let i = 0; i < 20; i++) follower.say(follower.position, true);
    await resting;
    await follower.until(1);
    await follower.end();
  }));

test('positions that are nonsense: of confirmations, and to begin at', () =>
  withServer('nonsense', async (server, sql) => {
    await sql.query(SCHEMA);
    for (const words of ['', 'TEMPORARY']) {
      const follower = await Follower.start(server.config, `f${words.length}`, 'p', null, words);
      follower.say(0xffff_ffff_ffff_ffffn);
      follower.say(0n);
      follower.say(8n, true);
      await sql.query(`INSERT INTO s VALUES (1, '${words}')`);
      await follower.until(1);
      await follower.end();
    }
    const other = new pg.Client({ ...server.config, replication: 'database' } as pg.ClientConfig);
    await other.connect();
    await assert.rejects(
      other.query("START_REPLICATION SLOT f0 LOGICAL FF/0 (proto_version '1', publication_names 'p')"),
      refused('55000', /FF\/0 is ahead/),
    );
    await other.end();
  }));

test('an ALTER TABLE is passed by a reader that had all of the table before, whatever else goes on', () =>
  withServer('altered', async (server, sql) => {
    await sql.query(`CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY);
      CREATE PUBLICATION p FOR ALL TABLES`);
    let follower = await Follower.start(server.config, 'f', 'p');
    await sql.query('INSERT INTO a VALUES (1, 10)');
    await follower.until(1);
    // While it is read, and beside other ticks.
    await sql.query('INSERT INTO b VALUES (1)');
    await sql.query('ALTER TABLE a ADD COLUMN w text');
    await sql.query(`INSERT INTO a VALUES (2, 20, 'w')`);
    await follower.until(3);
    const known = follower;
    await follower.end();
    // While it is not, twice, and of a table that it has not seen.
    await sql.query('INSERT INTO b VALUES (2)');
    await sql.query('ALTER TABLE a DROP COLUMN v');
    await sql.query('ALTER TABLE a ALTER COLUMN w TYPE varchar(20)');
    await sql.query('CREATE TABLE c (id int PRIMARY KEY); ALTER TABLE c ADD COLUMN x int');
    await sql.query(`INSERT INTO a VALUES (3, 'x'); INSERT INTO c VALUES (1, 2)`);
    follower = await Follower.start(server.config, 'f', 'p', known);
    await follower.until(5);
    assert.deepEqual(
      follower.transactions.flat().map(({ relation, row }) => [relation, ...(row ?? [])]),
      [
        ['a', '1', '10'],
        ['b', '1'],
        ['a', '2', '20', 'w'],
        ['b', '2'],
        ['a', '3', 'x'],
        ['c', '1', '2'],
      ],
    );
    await follower.end();
    // Whose rows it has not had.
    await sql.query(`INSERT INTO a VALUES (4, 'lost')`);
    await sql.query('ALTER TABLE a ADD COLUMN y int');
    const late = new pg.Client({ ...server.config, replication: 'database' } as pg.ClientConfig);
    await late.connect();
    await assert.rejects(
      late.query("START_REPLICATION SLOT f LOGICAL 0/0 (proto_version '1', publication_names 'p')"),
      refused('55000', /"a"/),
    );
    await late.end();
  }));

test('rows that were changed before an ALTER TABLE are sent as they were', () =>
  withServer('before_alter', async (server, sql) => {
    await sql.query(`CREATE TABLE a (id int PRIMARY KEY, v text); CREATE PUBLICATION p FOR TABLE a`);
    const follower = await Follower.start(server.config, 'f', 'p');
    const resting = follower.rest(1500);
    for (const from of [1, 100_001])
      await sql.query(`INSERT INTO a SELECT i, repeat('x', 200) FROM generate_series(${from}, ${from + 60_000}) i`);
    for (let i = 0; i < 5; i++) await sql.query(`INSERT INTO a VALUES (${-1 - i}, '${i} is long enough for memory')`);
    await resting;
    // It has the small ones at hand, behind the second.
    await follower.until(1);
    const again = follower.rest(1500);
    await sql.query('ALTER TABLE a ALTER COLUMN v TYPE int USING length(v)');
    await sql.query('INSERT INTO a VALUES (0, 1)');
    await again;
    // Where it was slower than that, it ends; what it has had is right.
    await follower.until(8).catch((error: pg.DatabaseError) => assert.equal(error.code, '55000'));
    const seen = follower.transactions.slice(2).flat();
    const wanted = [...[0, 1, 2, 3, 4].map((i) => `${i} is long enough for memory`), '1'];
    assert.deepEqual(
      seen.map(({ row }) => row?.[1]),
      wanted.slice(0, seen.length),
    );
    await follower.cut();
  }));

test('a reader that says nothing for wal_sender_timeout is let go, and its slot is free', () =>
  withServer('silent', async (server, sql) => {
    await sql.query(`${SCHEMA} CREATE REPLICATION SLOT f`);
    const silent = new pg.Client({
      ...server.config,
      replication: 'database',
      options: '-c wal_sender_timeout=1000',
    } as pg.ClientConfig);
    silent.on('error', () => undefined);
    await silent.connect();
    await assert.rejects(
      silent.query("START_REPLICATION SLOT f LOGICAL 0/0 (proto_version '1', publication_names 'p')"),
      refused('08006', /replication timeout/),
    );
    await sql.query('DROP REPLICATION SLOT f');
  }));

test('a publication of a schema is that of this very schema', () =>
  withServer('schema', async (_, sql) => {
    await sql.query('CREATE SCHEMA a; CREATE TABLE a.t (id int); CREATE PUBLICATION p FOR TABLES IN SCHEMA a');
    const published = () => rows(sql, 'SELECT schemaname, tablename FROM pg_publication_tables');
    assert.deepEqual(await published(), [['a', 't']]);
    await sql.query('DROP SCHEMA a CASCADE; CREATE SCHEMA a; CREATE TABLE a.t (id int)');
    assert.deepEqual(await published(), []);
    await sql.query('ALTER PUBLICATION p ADD TABLES IN SCHEMA a');
    assert.deepEqual(await published(), [['a', 't']]);
    await assert.rejects(sql.query('ALTER PUBLICATION p ADD TABLES IN SCHEMA b'), refused('3F000'));
  }));
