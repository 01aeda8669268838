/** Each example: its made-up events move all of its views, which are right; what its README says to type runs; its sinks are sinks of its views. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXAMPLES, Example, has, read, readme } from './example.ts';

/** Of a second each: a minute is over, and what waits for the clock has come. */
const TICKS = 75;

test('the index lists all', () => {
  const index = read('examples/README.md');
  assert.ok(EXAMPLES.length >= 8);
  for (const name of EXAMPLES) assert.ok(index.includes(`[${name}](${name}/README.md)`), name);
});

for (const name of EXAMPLES) {
  test(`${name}: views over made-up events`, { timeout: 120_000 }, async () => {
    const { start, sql } = readme(name);
    const streams = read(`examples/${name}/streams.sql`);
    const perSecond = Number(/rows_per_second = '(\d+)'/.exec(streams)?.[1]);
    const example = await Example.open(name, start.init, perSecond, perSecond * TICKS);
    try {
      for (let tick = 0; tick < TICKS; tick++) example.tick(tick);
      for (const [view, rows] of await example.checkViews()) assert.ok(rows > 0, `${name}: ${view} has no rows`);
      for (const block of sql) await example.sql(block);
      assert.deepEqual(await example.sql('SELECT sum(errors), sum(late) FROM tidemark.sources'), [['0', '0']]);
      assert.deepEqual(await example.sql('SELECT sum(errors) FROM tidemark.views'), [['0']]);
    } finally {
      await example.close();
    }
  });

  if (!has(name, 'sinks.sql')) continue;
  test(`${name}: its sinks can be written`, async () => {
    const example = await Example.kafka(name);
    try {
      // What they are is looked at before the broker is: nobody answers there.
      const sinks = read(`examples/${name}/sinks.sql`).replaceAll('localhost:9092', '127.0.0.1:1');
      for (const sink of sinks.trim().split(/(?<=;)\n/))
        await assert.rejects(example.sql(sink), { sqlstate: '08001' }, sink);
    } finally {
      await example.close();
    }
  });
}
