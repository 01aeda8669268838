/** All 23 views from the built-in generator equal PostgreSQL over the accepted input, at the end and at ticks on the way. */
import { test } from 'node:test';
import { testSeed } from '../../operators/testing/property.ts';
import '../../operators/expr/functions/index.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { TidemarkEngine } from '../../src/runtime/engine.ts';
import { runScript } from '../../src/runtime/script.ts';
import { Oracle } from './oracle.ts';
import { QUERIES, streamsSql, views } from './suite.ts';

const seed = testSeed();

const CASES = [
  { tickRows: 1, events: 300, checks: 2 },
  { tickRows: 7, events: 1000, checks: 2 },
  { tickRows: 1000, events: 20000, checks: 2 },
  { tickRows: 1_000_000, events: 20000, checks: 0 },
];

for (const { tickRows, events, checks } of CASES) {
  test(`nexmark views equal PostgreSQL, ticks of ${tickRows}`, { timeout: 300_000 }, async () => {
    await initParser();
    const oracle = await Oracle.open();
    const engine = new TidemarkEngine({ automatic: false, tickRows });
    try {
      await runScript(
        engine,
        streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '${events}', seed = '${seed}'`),
      );
      for (const name of QUERIES) await runScript(engine, views.get(name) ?? '');
      const total = Math.ceil((events * 0.92) / tickRows);
      const stops = Array.from({ length: checks }, (_, i) => Math.floor((total * (i + 1)) / (checks + 1)));
      for (let tick = 0; engine.sourceTicks.pump(); tick++) {
        if (!stops.includes(tick)) continue;
        await oracle.load(engine);
        for (const name of QUERIES) await oracle.compare(engine, name, `at tick ${tick} (seed ${seed})`);
      }
      await oracle.load(engine);
      for (const name of QUERIES) await oracle.compare(engine, name, `at the end (seed ${seed})`);
    } finally {
      await engine.close();
      await oracle.close();
    }
  });
}
