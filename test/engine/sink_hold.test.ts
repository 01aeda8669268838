import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noStatistics, type Sink } from '../../src/runtime/sink.ts';
import { openEngine, sql } from './harness.ts';

/** A sink that is behind for as long as the test likes. */
class SlowSink implements Sink {
  readonly statistics = noStatistics('exactly_once');
  isBehind = false;
  #catchUp: () => void = () => undefined;

  onTick(): void {
    this.statistics.queued++;
  }

  live(): void {
    // It begins at once.
  }

  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#catchUp = resolve;
    });
  }

  catchUp(): void {
    this.isBehind = false;
    this.#catchUp();
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  save() {
    return { stopped: null, queue: [] };
  }

  load(): void {
    // Nothing was saved.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

test('streams wait for a sink that reads them, through views; others and statements go on', async () => {
  const engine = await openEngine();
  try {
    const bid = (name: string) => `CREATE STREAM ${name} (auction BIGINT, price BIGINT, date_time TIMESTAMP)
      WITH (connector = 'nexmark', table = 'bid', events = '3000');`;
    await sql(
      engine,
      `${bid('a')} ${bid('b')} CREATE TABLE t (x int);
       CREATE MATERIALIZED VIEW of_a AS SELECT auction, price FROM a;
       CREATE MATERIALIZED VIEW of_b AS SELECT count(*) FROM b;
       CREATE VIEW plain AS SELECT * FROM of_a JOIN t ON x = auction % 2;
       CREATE SINK s FROM plain WITH (connector = 'blackhole')`,
    );
    const [oid] = [...engine.sinks.keys()];
    const slow = new SlowSink();
    engine.sinks.set(oid, slow);
    engine.sourceTicks.tickRows = 50;
    const positions = async () =>
      (await sql(engine, 'SELECT name, position FROM tidemark.sources ORDER BY name')).map(([, p]) => Number(p));
    const status = async () => (await sql(engine, 'SELECT status FROM tidemark.sources ORDER BY name')).map(([s]) => s);
    engine.sourceTicks.pump();
    assert.deepEqual(await status(), ['running', 'running']);
    const [before] = await positions();
    assert.ok(before > 0);
    slow.isBehind = true;
    for (let i = 0; i < 5; i++) engine.sourceTicks.pump();
    assert.deepEqual(await status(), ['held: sink s', 'running']);
    const [a, b] = await positions();
    assert.equal(a, before);
    assert.ok(b > before);
    await sql(engine, 'INSERT INTO t VALUES (0)');
    assert.equal((await sql(engine, 'SELECT count(*) FROM t'))[0][0], '1');
    slow.catchUp();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await status(), ['running', 'running']);
    await engine.flush();
    const [all, others] = await positions();
    assert.equal(all, others);
    assert.ok(all > before);
  } finally {
    await engine.close();
  }
});
