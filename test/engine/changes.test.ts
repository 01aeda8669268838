/** Changes that are kept: SUBSCRIBE AS OF gives those that were seen, SELECT AS OF the rows that were there, at any tick. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../planner/parse/parse.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { chunkRows, drain, openEngine, Session, seeded, sql } from './harness.ts';

const START = 800_000_000_000_000n;

type Row = (string | null)[];

const sorted = (rows: Row[]) => rows.map((row) => JSON.stringify(row)).sort();

async function query(engine: TidemarkEngine, text: string): Promise<Row[]> {
  return new Session(engine).run(text);
}

async function code(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return `${(error as { sqlstate?: string }).sqlstate}: ${(error as Error).message}`;
  }
  throw new Error('it did not fail');
}

/** Tables and views, with what was seen of them tick by tick. */
class History {
  readonly engine: TidemarkEngine;
  readonly names = ['t', 'u', 'sums', 'joined', 'top', 'copy_of_sums'];
  readonly rows = new Map<string, Map<bigint, string[]>>();
  readonly changes = new Map<string, { tick: bigint; row: string }[]>();
  #followers: { name: string; stream: NonNullable<Awaited<ReturnType<Session['open']>>> }[] = [];

  constructor(engine: TidemarkEngine) {
    this.engine = engine;
  }

  async begin(): Promise<void> {
    for (const name of this.names) {
      this.rows.set(name, new Map());
      this.changes.set(name, []);
      const stream = await new Session(this.engine).open(`SUBSCRIBE ${name} WITH (snapshot = false)`);
      if (stream === null) throw new Error('no rows');
      this.#followers.push({ name, stream });
    }
    await this.note();
  }

  async note(): Promise<void> {
    const { tick } = this.engine.loop;
    for (const name of this.names) {
      this.rows.get(name)?.set(tick, sorted(await query(this.engine, `SELECT * FROM ${name}`)));
    }
    for (const { name, stream } of this.#followers) {
      for (const row of await drain(stream))
        this.changes.get(name)?.push({ tick: BigInt(row[0] as string), row: JSON.stringify(row) });
    }
  }

  end(): void {
    for (const { stream } of this.#followers) stream.rows.close();
  }
}

async function filled(engine: TidemarkEngine): Promise<void> {
  await sql(
    engine,
    `CREATE TABLE t (k int PRIMARY KEY, g int, v numeric, s text);
     CREATE TABLE u (g int, name text);
     CREATE MATERIALIZED VIEW sums AS SELECT g, count(*) AS n, sum(v) AS total, max(s) AS s FROM t GROUP BY g;
     CREATE MATERIALIZED VIEW copy_of_sums AS SELECT g, count(*) AS n, sum(v) AS total, max(s) AS s FROM t GROUP BY g;
     CREATE MATERIALIZED VIEW joined AS SELECT t.k, t.s, u.name FROM t LEFT JOIN u ON t.g = u.g;
     CREATE MATERIALIZED VIEW top AS SELECT g, total FROM sums ORDER BY total DESC NULLS LAST, g LIMIT 3`,
  );
}

function statement(random: (n: number) => number): string {
  const k = random(40);
  const g = random(6);
  const text = random(4) === 0 ? 'NULL' : `'${'long text '.repeat(random(4))}${random(9)}'`;
  switch (random(6)) {
    case 0:
    case 1:
      return `INSERT INTO t VALUES (${k}, ${g}, ${random(1000)}.${random(100)}, ${text}) ON CONFLICT (k) DO UPDATE SET v = excluded.v, s = excluded.s`;
    case 2:
      return `UPDATE t SET v = v * ${random(5)}, g = ${g} WHERE k % 7 = ${random(7)}`;
    case 3:
      return `DELETE FROM t WHERE k % 11 = ${random(11)}`;
    case 4:
      return `INSERT INTO u VALUES (${g}, ${text}), (${g}, ${text})`;
    default:
      return `DELETE FROM u WHERE g = ${g}`;
  }
}

test('any tick that is kept: its rows, and the changes after it', async () => {
  const { random } = seeded('changes');
  let now = START;
  const engine = await openEngine({ clock: () => now });
  try {
    await filled(engine);
    const history = new History(engine);
    await history.begin();
    const clocks: { tick: bigint; clock: bigint }[] = [];
    for (let i = 0; i < 60; i++) {
      if (random(3) > 0) now += BigInt(1 + random(5_000_000));
      await sql(engine, statement(random));
      clocks.push({ tick: engine.loop.tick, clock: engine.loop.now });
      await history.note();
    }
    history.end();
    for (const [name, ticks] of history.rows) {
      for (const [tick, rows] of ticks) {
        assert.deepEqual(
          sorted(await query(engine, `SELECT * FROM ${name} AS OF ${tick}`)),
          rows,
          `${name} at ${tick}`,
        );
        if (random(4) > 0) continue;
        const expected = (history.changes.get(name) ?? []).filter((change) => change.tick > tick).map(({ row }) => row);
        const again = await new Session(engine).open(`SUBSCRIBE ${name} WITH (snapshot = false) AS OF ${tick}`);
        assert.ok(again !== null);
        const got = (await drain(again)).map((row) => JSON.stringify(row));
        again.rows.close();
        assert.deepEqual(got.sort(), [...expected].sort(), `changes of ${name} after ${tick}`);
      }
    }
    // A time means the last tick that was over by then.
    for (const { clock } of clocks) {
      const at = clocks.findLast((c) => c.clock <= clock)?.tick as bigint;
      const time = `timestamptz '2000-01-01 00:00:00+00' + interval '${clock} microseconds'`;
      const [[text]] = await sql(engine, `SELECT (${time})::text`);
      assert.deepEqual(
        sorted(await query(engine, `SELECT * FROM joined AS OF '${text}'`)),
        history.rows.get('joined')?.get(at),
        `${text}`,
      );
    }
  } finally {
    await engine.close();
  }
});

test('all of a statement is read as of its one tick', async () => {
  const engine = await openEngine();
  try {
    await filled(engine);
    await sql(engine, `INSERT INTO t VALUES (1, 1, 10, 'a'); INSERT INTO u VALUES (1, 'one')`);
    const { tick } = engine.loop;
    await sql(engine, `UPDATE t SET v = 20; DELETE FROM u`);
    const joined = 'SELECT t.v, u.name, sums.total FROM sums AS OF %, t LEFT JOIN u ON t.g = u.g';
    assert.deepEqual(await query(engine, joined.replace('%', String(tick))), [['10', 'one', '10']]);
    assert.deepEqual(await query(engine, joined.replace('%', String(engine.loop.tick))), [['20', null, '20']]);
    assert.deepEqual(await query(engine, `SELECT tidemark_tick() FROM sums AS OF ${tick}`), [[String(tick)]]);
    // A transaction's own writes are of no tick yet.
    const session = new Session(engine);
    await session.run(`DELETE FROM t`);
    assert.deepEqual(await session.run('SELECT count(*) FROM t'), [['0']]);
    assert.deepEqual(await session.run(`SELECT k, v FROM t AS OF ${tick}`), [['1', '10']]);
    session.transaction.rollback();
    assert.match(
      await code(query(engine, `SELECT * FROM t AS OF 1, u AS OF 2`)),
      /^0A000: reading at two different times/,
    );
    assert.match(await code(query(engine, `SELECT * FROM t AS OF 99999`)), /^22023: tick 99999 has not been reached/);
    assert.match(
      await code(query(engine, `SELECT * FROM sums AS OF 0`)),
      /^55000: changes of "sums" after tick 0 are no longer/,
    );
    assert.match(
      await code(query(engine, `SELECT * FROM tidemark.views AS OF ${tick}`)),
      /^0A000: "views" cannot be read/,
    );
    assert.match(
      await code(query(engine, `SELECT * FROM t AS OF '2200-01-01'`)),
      /^22023: AS OF a time that has not come/,
    );
    assert.match(await code(query(engine, `SELECT * FROM t AS OF '1999-01-01'`)), /^55000: changes of "t" since/);
  } finally {
    await engine.close();
  }
});

test('rows of an earlier tick go where rows go: INSERT, CREATE TABLE AS, COPY', async () => {
  const engine = await openEngine();
  try {
    await filled(engine);
    await sql(engine, `INSERT INTO u VALUES (1, 'one'), (2, 'two')`);
    const { tick } = engine.loop;
    await sql(engine, `DELETE FROM u; INSERT INTO u VALUES (1, 'new')`);
    await sql(engine, `CREATE TABLE saved AS SELECT * FROM u AS OF ${tick}`);
    assert.deepEqual(
      sorted(await query(engine, 'SELECT * FROM saved')),
      sorted([
        ['1', 'one'],
        ['2', 'two'],
      ]),
    );
    await sql(engine, `INSERT INTO u SELECT * FROM u AS OF ${tick} WHERE g > 1`);
    assert.deepEqual(
      sorted(await query(engine, 'SELECT * FROM u')),
      sorted([
        ['1', 'new'],
        ['2', 'two'],
      ]),
    );
    const session = localSession(engine);
    const [copy] = parse(`COPY (SELECT name FROM u AS OF ${tick} ORDER BY name) TO STDOUT`);
    const result = await engine.execute(engine.prepare(copy, [], session), [], session, new AbortController().signal);
    assert.ok(result.kind === 'copyOut');
    assert.deepEqual(await drain(result), [['one'], ['two']]);
    // What is changed is the present.
    assert.match(await code(sql(engine, `UPDATE u SET name = x.name FROM u AS OF ${tick} AS x`)), /^0A000/);
    assert.match(await code(sql(engine, `CREATE MATERIALIZED VIEW w AS SELECT * FROM u AS OF ${tick}`)), /^0A000/);
  } finally {
    await engine.close();
  }
});

test('SUBSCRIBE AS OF begins with the rows of that tick; progress and an end', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, `CREATE TABLE t (a int); INSERT INTO t VALUES (1)`);
    const first = engine.loop.tick;
    await sql(engine, `DELETE FROM t WHERE a = 1; INSERT INTO t VALUES (3)`);
    const last = engine.loop.tick;
    const stream = await new Session(engine).open(
      `SUBSCRIBE t WITH (progress = true) AS OF ${first} UP TO ${last + 1n}`,
    );
    assert.ok(stream !== null);
    const rows = await drain(stream);
    stream.rows.close();
    assert.deepEqual(rows, [
      [`${first}`, 'f', '1', '1'],
      [`${first}`, 't', null, null],
      [`${first + 1n}`, 'f', '-1', '1'],
      [`${first + 1n}`, 't', null, null],
      [`${last}`, 'f', '1', '3'],
      [`${last}`, 't', null, null],
    ]);
    assert.match(
      await code(new Session(engine).open(`SUBSCRIBE t AS OF ${last + 1n}`)),
      /^22023: tick \d+ has not been reached/,
    );
  } finally {
    await engine.close();
  }
});

const QUERIES = [
  'SELECT s, v FROM t WHERE g % 2 = 0',
  'SELECT t.k, u.name, sums.n FROM t LEFT JOIN u ON t.g = u.g JOIN sums ON sums.g IS NOT DISTINCT FROM t.g',
  'SELECT name, count(*) AS n, sum(k) AS keys FROM joined GROUP BY name',
  'SELECT g FROM sums EXCEPT SELECT g FROM u',
  'SELECT a.k, b.k AS other FROM t a JOIN t b ON a.g = b.g AND a.k < b.k',
  // What a view has already, so that operators are shared with live ones.
  'SELECT g, count(*) AS n, sum(v) AS total, max(s) AS s FROM t GROUP BY g',
];

test('SUBSCRIBE (query) AS OF: the rows that it had, every change since, and what comes', async () => {
  const { random } = seeded('queries of earlier ticks');
  const engine = await openEngine();
  try {
    await filled(engine);
    const open = (text: string, rest: string) => new Session(engine).open(`SUBSCRIBE (${text}) ${rest}`);
    const text = (rows: Row[]) => rows.map((row) => JSON.stringify(row));
    const first = engine.loop.tick;
    const live = await Promise.all(QUERIES.map((q) => open(q, 'WITH (snapshot = false)')));
    const seen: string[][] = QUERIES.map(() => []);
    const note = async () => {
      for (const [i, stream] of live.entries()) if (stream !== null) seen[i].push(...text(await drain(stream)));
    };
    const followers: { q: number; tick: bigint; stream: NonNullable<(typeof live)[0]>; got: string[] }[] = [];
    const rows = new Map<bigint, string[][]>();
    const remember = async () => {
      const now = engine.loop.tick;
      const all: string[][] = [];
      for (const q of QUERIES) all.push(sorted(await query(engine, q)));
      assert.equal(engine.loop.tick, now);
      rows.set(now, all);
    };
    await remember();
    for (let i = 0; i < 80; i++) {
      await sql(engine, statement(random));
      await remember();
      await note();
      if (random(3) === 0) {
        const q = random(QUERIES.length);
        const ticks = [...rows.keys()];
        const tick = ticks[random(ticks.length)];
        const stream = await open(QUERIES[q], `AS OF ${tick}`);
        assert.ok(stream !== null);
        followers.push({ q, tick, stream, got: [] });
      }
      // Some read at once, some when much has happened meanwhile, a row at a time or all.
      for (const follower of followers) {
        if (random(4) > 0) continue;
        if (random(2) === 0) follower.got.push(...text(await drain(follower.stream)));
        else {
          const chunk = await follower.stream.rows.next(1, 0);
          if (chunk === null || chunk.count === 0) continue;
          follower.got.push(...text(chunkRows(chunk, follower.stream.columns)));
        }
      }
    }
    await note();
    for (const { q, tick, stream, got } of followers) {
      got.push(...text(await drain(stream)));
      const tickOf = (row: string) => BigInt(JSON.parse(row)[0]);
      const begin = got.filter((row) => tickOf(row) === tick).map((row) => JSON.parse(row));
      const each = begin.flatMap(([, diff, ...row]) => Array.from({ length: Number(diff) }, () => row));
      assert.deepEqual(sorted(each), rows.get(tick)?.[q], `${QUERIES[q]} at ${tick} (begun at ${first})`);
      const after = (all: string[]) => all.filter((row) => tickOf(row) > tick).sort();
      assert.deepEqual(after(got), after(seen[q]), `changes of ${QUERIES[q]} after ${tick}`);
      stream.rows.close();
    }
    for (const stream of live) stream?.rows.close();
    assert.ok(followers.length > 5);
  } finally {
    await engine.close();
  }
});

test('SUBSCRIBE (query) AS OF: its end, its progress, and what cannot be followed from then', async () => {
  let now = START;
  const engine = await openEngine({ clock: () => now });
  try {
    await sql(engine, `CREATE TABLE t (a int, at timestamptz); CREATE TABLE none (a int) WITH (retention = '0')`);
    await sql(engine, `INSERT INTO t VALUES (1, now())`);
    const first = engine.loop.tick;
    now += 1_000_000n;
    await sql(engine, `INSERT INTO t VALUES (2, now()); DELETE FROM t WHERE a = 1`);
    const last = engine.loop.tick;
    await sql(engine, `INSERT INTO t VALUES (3, now())`);
    const doubled = await new Session(engine).open(
      `SUBSCRIBE (SELECT a * 2 AS b FROM t) WITH (progress = true) AS OF ${first} UP TO ${last + 1n}`,
    );
    assert.ok(doubled !== null);
    const before = [...engine.loop.graph.nodes()].length;
    assert.deepEqual(await drain(doubled), [
      [`${first}`, 'f', '1', '2'],
      [`${first}`, 't', null, null],
      [`${first + 1n}`, 'f', '1', '4'],
      [`${first + 1n}`, 't', null, null],
      [`${last}`, 'f', '-1', '2'],
      [`${last}`, 't', null, null],
    ]);
    assert.equal(await doubled.rows.next(1), null);
    doubled.rows.close();
    assert.equal([...engine.loop.graph.nodes()].length, before);
    const fails = (text: string) => code(new Session(engine).open(`SUBSCRIBE (${text}) AS OF ${first}`));
    assert.match(await fails("SELECT a FROM t WHERE at > now() - interval '1 hour'"), /^0A000: a query that moves/);
    assert.match(await fails('SELECT * FROM none'), /^55000: the changes of "none" are not kept/);
    await sql(engine, 'CREATE TABLE late (a int)');
    assert.match(await fails('SELECT a FROM late'), /^55000: changes of "late" after tick \d+ are no longer/);
    assert.match(
      await code(new Session(engine).open(`SUBSCRIBE (SELECT a FROM t) AS OF ${engine.loop.tick + 1n}`)),
      /^22023: tick \d+ has not been reached/,
    );
    // What it reads may go while it reads.
    const gone = await new Session(engine).open(`SUBSCRIBE (SELECT a FROM t) AS OF ${first}`);
    assert.ok(gone !== null);
    await sql(engine, 'DROP TABLE t');
    assert.match(await code(drain(gone)), /^(42P01|55000): /);
    gone.rows.close();
  } finally {
    await engine.close();
  }
});

test('retention: by time, by size, none', async () => {
  let now = START;
  const engine = await openEngine({ clock: () => now });
  try {
    await sql(
      engine,
      `CREATE TABLE t (a int, s text);
       CREATE MATERIALIZED VIEW hour AS SELECT a FROM t;
       CREATE MATERIALIZED VIEW minute WITH (retention = '1 minute') AS SELECT a FROM t;
       CREATE MATERIALIZED VIEW small WITH (retention = '64 KiB') AS SELECT a, s FROM t;
       CREATE MATERIALIZED VIEW nothing WITH (retention = '0') AS SELECT a + 1 AS b FROM t`,
    );
    const ticks: bigint[] = [];
    for (let i = 0; i < 200; i++) {
      now += 1_000_000n;
      await sql(engine, `INSERT INTO t SELECT ${i}, repeat('x', 1000) FROM generate_series(1, 3)`);
      ticks.push(engine.loop.tick);
    }
    const count = (view: string, tick: bigint) => query(engine, `SELECT count(*) FROM ${view} AS OF ${tick}`);
    assert.deepEqual(await count('hour', ticks[0]), [['3']]);
    assert.deepEqual(await count('minute', ticks[139]), [['420']]);
    assert.match(
      await code(count('minute', ticks[50])),
      /^55000: changes of "minute" after tick \d+ are no longer kept/,
    );
    assert.deepEqual(await count('small', ticks[190]), [['573']]);
    assert.match(await code(count('small', ticks[100])), /^55000: changes of "small"/);
    assert.ok((engine.changes.log(engine.catalog.find('public', 'small')?.oid ?? 0)?.bytes ?? 0) <= 65536);
    assert.match(await code(count('nothing', ticks[198])), /^55000: the changes of "nothing" are not kept/);
    assert.deepEqual(await count('nothing', engine.loop.tick), [['600']]);
    assert.match(
      await code(sql(engine, `CREATE MATERIALIZED VIEW x WITH (retention = 'soon') AS SELECT 1`)),
      /^22023: line 1: invalid value for parameter "retention"/,
    );
  } finally {
    await engine.close();
  }
});

test('SUBSCRIBE (query) AS OF: ticks that run before it has caught up are not told of before their time', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (a int)');
    await sql(engine, 'INSERT INTO t VALUES (1)');
    const first = engine.loop.tick;
    await sql(engine, 'INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)');
    const open = (rest: string) => new Session(engine).open(`SUBSCRIBE (SELECT a * 2 AS b FROM t) ${rest}`);
    const all = await open(`WITH (progress = true) AS OF ${first}`);
    const some = await open(`AS OF ${first} UP TO ${first + 2n}`);
    assert.ok(all !== null && some !== null);
    await sql(engine, 'INSERT INTO t VALUES (4)');
    const last = engine.loop.tick;
    assert.equal(last, first + 3n);
    const ticks = [first, first + 1n, first + 2n, last].map(String);
    const rows = (await drain(all)).filter((row) => BigInt(row[0] as string) <= last);
    assert.deepEqual(
      rows,
      ticks.flatMap((tick, i) => [
        [tick, 'f', '1', String(2 * (i + 1))],
        [tick, 't', null, null],
      ]),
    );
    assert.deepEqual(await drain(some), [
      [ticks[0], '1', '2'],
      [ticks[1], '1', '4'],
    ]);
    all.rows.close();
    some.rows.close();
  } finally {
    await engine.close();
  }
});
