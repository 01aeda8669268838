/**
 * A process for kill.slow.test.ts to kill: recovers, checks itself, then writes rows and takes checkpoints as fast as it can.
 *
 *   recovered ROWS SUM CHECKPOINT_TICK     what the table holds; the view agrees, or the process ends with an error
 *   wrote N                                row N is acknowledged
 *   value N                                nextval() gave N, and says that it will not again
 *   checkpoint TICK                        one has been taken
 *
 * They are taken one after the other by hand: the schedule only looks every quarter of a second, in which a fast disk has all rows of a life.
 */
import { openData } from '../../src/durable/recovery.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import { openEngine, sql } from '../engine/harness.ts';

const [path] = process.argv.slice(2);
const engine = await openEngine();
engine.system.catalogs = new PgCatalog(engine);
await openData(engine, {
  path,
  segmentBytes: 16384,
  aheadBytes: 4096,
  logThread: true,
});
if (engine.catalog.find(undefined, 't') === undefined) {
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, x text)');
  await sql(engine, 'CREATE TABLE numbered (n serial)');
  await sql(
    engine,
    'CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, sum(id) AS s, min(x) AS least, max(x) AS most FROM t',
  );
}
const QUERY = 'SELECT count(*) AS n, sum(id) AS s, min(x) AS least, max(x) AS most FROM t';
const [[view], [fresh]] = [await sql(engine, 'SELECT * FROM v'), await sql(engine, QUERY)];
if (String(view) !== String(fresh)) throw new Error(`the view has ${view}, the table ${fresh}`);
console.log(`recovered ${fresh[0]} ${fresh[1] ?? 0} ${engine.recovery?.checkpoint?.tick ?? 'none'}`);
async function takeCheckpoints(): Promise<void> {
  const { checkpoints } = engine;
  if (checkpoints === null) throw new Error('the data has no place for checkpoints');
  for (;;) {
    const { tick } = await checkpoints.take();
    console.log(`checkpoint ${tick}`);
  }
}
void takeCheckpoints();
for (let id = Number(fresh[0]); ; id++) {
  await sql(
    engine,
    `INSERT INTO t VALUES (${id}, '${String(id % 100)
      .padStart(2, '0')
      .repeat(1 + (id % 300))}')`,
  );
  console.log(`wrote ${id}`);
  const [[value]] =
    id % 3 === 0
      ? await sql(engine, 'INSERT INTO numbered VALUES (DEFAULT) RETURNING n')
      : await sql(engine, "SELECT nextval('numbered_n_seq')");
  console.log(`value ${value}`);
}
