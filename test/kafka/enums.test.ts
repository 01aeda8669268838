/** Labels go to a topic and come back: the thread that writes them knows types that were made, and labels that were added, after it started. */
import { test } from 'node:test';
import { openEngine, sql } from '../engine/harness.ts';
import { eventually, kafkaSuite } from './suite.ts';

const suite = kafkaSuite();

test('a sink writes labels, and a keyed table reads them', { skip: suite.skip }, async () => {
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  const topic = await suite.cluster.topic('labels', 1);
  const where = `connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}'`;
  try {
    await sql(
      engine,
      `CREATE TYPE state AS ENUM ('new', 'done'); CREATE TABLE job (id int PRIMARY KEY, s state, past state[]);
       CREATE SINK out FROM job WITH (${where}); CREATE TABLE back (id int PRIMARY KEY, s state, past state[]) WITH (${where}, envelope = 'upsert');
       INSERT INTO job VALUES (1, 'done', '{new}'), (2, 'new', NULL)`,
    );
    await sql(
      engine,
      "ALTER TYPE state ADD VALUE 'held' BEFORE 'done'; INSERT INTO job VALUES (3, 'held', '{held,new}')",
    );
    await sql(engine, "UPDATE job SET s = 'held' WHERE id = 2; DELETE FROM job WHERE id = 1");
    const wanted = await sql(engine, 'SELECT * FROM job ORDER BY id');
    await eventually(engine, 'SELECT * FROM back ORDER BY id', wanted);
  } finally {
    await engine.close();
  }
});
