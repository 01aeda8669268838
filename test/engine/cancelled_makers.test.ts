/**
 * Cancels at each look of what statements make for themselves or for all: operators of the graph, scans, room in memory. What is left behind there would be seen by statements to come: a node
 * without its rows by the next view of the same query.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import { OutOfMemory, SqlError } from '../../operators/errors.ts';
import { turn } from '../../operators/turn.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { SessionContext } from '../../src/engine.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, sql } from './harness.ts';

const CANCELLED = new SqlError('57014', 'canceling statement due to user request');

/** Runs a statement that is cancelled at a look of its own; gives the SQLSTATE with which it failed, and null: there were not so many. */
async function cancelledAt(
  engine: TidemarkEngine,
  session: SessionContext,
  text: string,
  looks: number,
): Promise<string | null> {
  const cancel = new AbortController();
  const { lookMs, hear } = turn;
  let left = looks;
  turn.lookMs = 0;
  turn.hear = (signal) => {
    if (signal === cancel.signal && --left < 0) cancel.abort(CANCELLED);
  };
  try {
    const [statement] = parse(text);
    const result = await engine.execute(engine.prepare(statement, [], session), [], session, cancel.signal);
    if (result.kind !== 'rows') return null;
    try {
      // What follows changes has no end.
      while (statement.k !== 'subscribe' && (await result.rows.next(1000)) !== null);
    } finally {
      result.rows.close();
    }
    return null;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return error.sqlstate;
  } finally {
    Object.assign(turn, { lookMs, hear });
  }
}

/** The same at every look, one after the other, until it is not cancelled any more. Gives how often it was. */
async function cancelledEverywhere(
  engine: TidemarkEngine,
  text: string,
  after: (looks: number) => Promise<void> = () => Promise.resolve(),
  before: (session: SessionContext) => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  for (let looks = 0; ; looks++) {
    const session = localSession(engine);
    await before(session);
    const failed = await cancelledAt(engine, session, text, looks);
    if (failed === null) await session.transaction.commit();
    else session.transaction.rollback();
    if (failed === null) return looks;
    assert.equal(failed, '57014', text);
    await after(looks);
  }
}

/** A test with an engine of its own, after which all pages are back. */
function onEngine(title: string, work: (engine: TidemarkEngine) => Promise<void>): void {
  test(title, async () => {
    const before = pages.usedPages;
    const engine = await openEngine();
    try {
      await work(engine);
    } finally {
      await engine.close();
    }
    assert.equal(pages.usedPages, before);
  });
}

test('a view that is cancelled while its operators are made leaves none of them', async () => {
  const before = pages.usedPages;
  const engine = await openEngine();
  const nodes = () => [...engine.loop.graph.nodes()].length;
  // What an operator is made of takes pages of its own.
  const long = 'x'.repeat(70_000);
  const query = `SELECT a, n, length(a || '${long}') AS l FROM (SELECT a, count(*) AS n FROM t GROUP BY a) s`;
  try {
    await sql(
      engine,
      "CREATE TABLE t (k int, a text); INSERT INTO t SELECT i, 'a' || i % 3 FROM generate_series(1, 30) i",
    );
    const looks = await cancelledEverywhere(engine, `CREATE MATERIALIZED VIEW v AS ${query}`, async (k) => {
      assert.equal(nodes(), 0, `look ${k}`);
      await sql(engine, `INSERT INTO t VALUES (${100 + k}, 'a1')`);
    });
    assert.ok(looks > 0);
    const rows = async (text: string) => (await sql(engine, text)).map(String).sort();
    assert.deepEqual(await rows('SELECT * FROM v'), await rows(query));
    await sql(engine, 'DROP MATERIALIZED VIEW v');
    assert.equal(nodes(), 0);
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, before);
});

test('rows that leave while the rest is read fail as the statement does when it is cancelled', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (k int); INSERT INTO t SELECT i FROM generate_series(1, 5000) i');
    assert.ok((await cancelledEverywhere(engine, 'SELECT k, g FROM t, generate_series(1, t.k % 3) g')) > 0);
  } finally {
    await engine.close();
  }
});

onEngine('a read of what a transaction wrote that is cancelled anywhere closes what it had opened', async (engine) => {
  await sql(engine, "CREATE TABLE t (k int, c text); INSERT INTO t SELECT i, 'c' || i FROM generate_series(1, 5000) i");
  await sql(engine, 'CREATE TABLE u (k int); INSERT INTO u SELECT i FROM generate_series(1, 5000) i');
  const looks = await cancelledEverywhere(
    engine,
    'UPDATE t SET c = c || 1 FROM u WHERE t.k = u.k AND t.k > 4990',
    undefined,
    async (session) => {
      const own = "INSERT INTO t SELECT i, repeat('own', 50) FROM generate_series(1, 3000) i";
      for (const text of [own, own.replace('INTO t', 'INTO u').replace(", repeat('own', 50)", '')])
        assert.equal(await cancelledAt(engine, session, text, Number.POSITIVE_INFINITY), null);
      engine.transactionOf(session).overtaken = true;
    },
  );
  assert.ok(looks > 0);
});

test('what a transaction wrote is found by its keys once, after a look-up that was cancelled anywhere', async () => {
  const before = pages.usedPages;
  const engine = await openEngine();
  const session = localSession(engine);
  try {
    await sql(engine, 'CREATE TABLE t (k int PRIMARY KEY, c text)');
    const own = "INSERT INTO t SELECT i, repeat('own ', 20) || i FROM generate_series(1, 6000) i";
    assert.equal(await cancelledAt(engine, session, own, Number.POSITIVE_INFINITY), null);
    const found = "UPDATE t SET c = c || '.' WHERE k = 5995";
    for (let looks = 0; ; looks++) {
      session.transaction.savepoint('s');
      const failed = await cancelledAt(engine, session, found, looks);
      if (failed === null) {
        assert.ok(looks > 0);
        break;
      }
      session.transaction.rollbackTo('s');
      assert.equal(failed, '57014');
    }
    await session.transaction.commit();
    assert.deepEqual(
      await sql(engine, "SELECT count(*), count(DISTINCT k), count(*) FILTER (WHERE c LIKE '%.') FROM t"),
      [['6000', '6000', '1']],
    );
  } finally {
    session.transaction.rollback();
    await engine.close();
  }
  assert.equal(pages.usedPages, before);
});

onEngine('a sink that is cancelled while it is filled is not there', async (engine) => {
  await sql(engine, "CREATE TABLE t (k int, c text); INSERT INTO t SELECT i, 'c' || i FROM generate_series(1, 3000) i");
  const text = "CREATE SINK s AS SELECT k % 1000 AS a, max(c) AS c FROM t GROUP BY 1 WITH (connector = 'blackhole')";
  const looks = await cancelledEverywhere(engine, text, async (k) => {
    assert.deepEqual(await sql(engine, 'SELECT name FROM tidemark.sinks'), [], `look ${k}`);
    assert.equal([...engine.loop.graph.nodes()].length, 0, `look ${k}`);
  });
  assert.ok(looks > 0);
  assert.deepEqual(await sql(engine, 'SELECT name, rows FROM tidemark.sinks'), [['s', '1000']]);
});

onEngine('a query that is followed, cancelled while it is filled, leaves no operators', async (engine) => {
  await sql(engine, "CREATE TABLE t (k int, c text); INSERT INTO t SELECT i, 'c' || i FROM generate_series(1, 3000) i");
  const text = 'SUBSCRIBE (SELECT k % 1000 AS a, max(c) AS c FROM t GROUP BY 1)';
  const looks = await cancelledEverywhere(engine, text, async (k) => {
    assert.equal([...engine.loop.graph.nodes()].length, 0, `look ${k}`);
  });
  assert.ok(looks > 0);
  assert.equal([...engine.loop.graph.nodes()].length, 0);
});

test('what DROP has dropped cannot be cancelled while the rest of it waits for the disk', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (k int)');
    const session = localSession(engine);
    const told: string[] = [];
    session.done = () => told.push('done');
    engine.journal = {
      admitDefinition: async () => undefined,
      defined: () => undefined,
      durable: async () => void told.push('durable'),
    } as unknown as typeof engine.journal;
    assert.equal(await cancelledAt(engine, session, 'DROP TABLE t', 0), null);
    engine.journal = null;
    session.transaction.rollback();
    assert.equal(told[0], 'done');
  } finally {
    await engine.close();
  }
});

test('what makes room for a tick that did not fit is not ended in its midst', async () => {
  const engine = await openEngine();
  const cancel = new AbortController();
  let made = 0;
  try {
    await sql(engine, 'CREATE TABLE t (k int)');
    const publish = engine.publishRows.bind(engine);
    engine.publishRows = (rows) => {
      if (made === 0) throw new OutOfMemory(1, 1);
      publish(rows);
    };
    // All that it works on.
    Object.defineProperty(engine.loop.relations, 'values', {
      value: function* () {
        cancel.abort(CANCELLED);
        turn.look();
        made++;
        yield* Map.prototype.values.call(engine.loop.relations);
      },
    });
    const { lookMs } = turn;
    turn.lookMs = 0;
    const session = localSession(engine);
    const [statement] = parse('INSERT INTO t VALUES (1)');
    const running = engine.executeAlone(engine.prepare(statement, [], session), [], session, cancel.signal, () => null);
    await assert.rejects(running, SqlError);
    turn.lookMs = lookMs;
    session.transaction.rollback();
    assert.ok(made > 0);
  } finally {
    await engine.close();
  }
});
