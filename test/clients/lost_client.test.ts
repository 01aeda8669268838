/** Reads of clients whose process has ended do not run to their end, and leave nothing behind. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { pages } from '../../operators/batch/pages.ts';
import { sql } from '../engine/harness.ts';
import { type ClientServer, startServer, until } from './server.ts';

let server: ClientServer;
/** Of the statements that the engine was given. */
const signals: AbortSignal[] = [];

before(async () => {
  server = await startServer();
  const { engine } = server.running;
  await sql(
    engine,
    'CREATE TABLE t (a int, b int); INSERT INTO t SELECT n, n % 1000 FROM generate_series(1, 100000) n',
  );
  const execute = engine.execute.bind(engine);
  engine.execute = (prepared, params, session, signal) => {
    signals.push(signal);
    return execute(prepared, params, session, signal);
  };
});
after(() => server.close());

/** Of ten million rows, seconds. */
const JOIN = 'FROM t x JOIN t y ON x.b = y.b';

const READS = [
  `SELECT count(*), sum(x.a) ${JOIN} WHERE x.a + y.a > 0`,
  `SELECT x.a, y.a ${JOIN} ORDER BY y.a DESC, x.a`,
  `COPY (SELECT max(x.a + y.a) ${JOIN}) TO STDOUT`,
  `BEGIN; DECLARE c CURSOR FOR SELECT max(x.a + y.a) ${JOIN}; FETCH ALL c`,
];

for (const text of READS) {
  test(text, { timeout: 120_000 }, async () => {
    const used = pages.usedPages;
    signals.length = 0;
    const socket = connect(server.port, '127.0.0.1');
    socket.write(serialize.startup({ user: 'tester', database: 'db', application_name: 'lost' }));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.write(serialize.query(text));
    await until('it runs', () => signals.length > 0);
    socket.destroy();
    await until('the session ends', () => server.sessions('lost') === 0);
    assert.ok(signals.every(({ aborted }) => aborted));
    await until('its memory is given back', () => pages.usedPages <= used);
  });
}
