/** COPY FROM STDIN as the engine runs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../planner/parse/parse.ts';
import { localSession } from '../../src/runtime/script.ts';
import { openEngine, sql } from './harness.ts';

test('columns that COPY does not name take their default, a volatile one anew for each row', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      "CREATE TABLE t (id int, r float8 DEFAULT random(), at timestamptz DEFAULT now(), kind text DEFAULT 'new', n int)",
    );
    const session = localSession(engine);
    const [statement] = parse('COPY t (id, kind) FROM STDIN');
    const prepared = engine.prepare(statement, [], session);
    const result = await engine.execute(prepared, [], session, new AbortController().signal);
    assert.equal(result.kind, 'copyIn');
    if (result.kind !== 'copyIn') return;
    await result.target.write([
      [1, 'a'],
      [2, null],
      [3, 'c'],
    ]);
    assert.equal(await result.target.finish(), 3);
    await session.transaction.commit();
    assert.deepEqual(
      await sql(engine, 'SELECT count(DISTINCT r), count(DISTINCT at), count(kind), count(n), count(*) FROM t'),
      [['3', '1', '2', '0', '3']],
    );
  } finally {
    await engine.close();
  }
});
