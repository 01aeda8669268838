/**
 * q12 in processing time: a bid's time is that of the tick that took it in, which a column with DEFAULT now() says. Ticks run by a clock that the
 * test turns; PostgreSQL is asked the same question over the rows with the time they got.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { parseNexmarkOptions } from '../../src/sources/nexmark/options.ts';
import { NexmarkSource } from '../../src/sources/nexmark/source.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';

const { random, seed } = seeded('q12 in processing time');
const EVENTS = 1000;

const STREAM = (
  connector: string,
) => `CREATE STREAM bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP,
  extra TEXT, p_time TIMESTAMPTZ NOT NULL DEFAULT now()) WITH (connector = '${connector}', ${OPTIONS[connector]})`;
const OPTIONS: Record<string, string> = {
  nexmark: `table = 'bid', events = '${EVENTS}', seed = '${seed}'`,
  kafka: "brokers = 'memory', topic = 'bid'",
};
const Q12 = (name: string) => `CREATE MATERIALIZED VIEW ${name} AS
  SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
  FROM TUMBLE(bid, p_time, INTERVAL '10' SECOND) GROUP BY bidder, window_start, window_end`;
const ORACLE = `SELECT bidder::text, count(*)::text, date_bin('10 s', p_time, '1970-01-01Z')::text, (date_bin('10 s', p_time, '1970-01-01Z') + interval '10 s')::text
  FROM bid GROUP BY bidder, date_bin('10 s', p_time, '1970-01-01Z') ORDER BY date_bin('10 s', p_time, '1970-01-01Z'), bidder`;

/** Messages of the generator as a topic would carry them: none has the field p_time. */
function messages() {
  const options = { table: 'bid', events: String(EVENTS), seed: String(seed) };
  return new NexmarkSource(parseNexmarkOptions(options), { form: 'json' });
}

async function oracle(db: PGlite, rows: (string | null)[][]): Promise<unknown[][]> {
  await db.exec('DROP TABLE IF EXISTS bid; CREATE TABLE bid (bidder BIGINT, p_time TIMESTAMPTZ)');
  const blob = new Blob([rows.map((row) => `${row.join('\t')}\n`).join('')]);
  await db.query("COPY bid FROM '/dev/blob'", [], { blob });
  return (await db.query<unknown[]>(ORACLE, [], { rowMode: 'array' })).rows;
}

const answer = (engine: TidemarkEngine, view: string) =>
  sql(engine, `SELECT * FROM ${view} ORDER BY starttime, bidder`);

for (const connector of ['nexmark', 'kafka']) {
  for (const tickRows of [1, 7, 500]) {
    test(`${connector}, ticks of ${tickRows}`, { timeout: 120_000 }, async () => {
      const db = await PGlite.create();
      await db.exec("SET TimeZone = 'UTC'");
      let clock = 800_000_000_000_000n;
      const engine = await openEngine({
        clock: () => clock,
        tickRows,
        openSource: (spec) => (spec.connector === 'kafka' ? messages() : null),
      });
      try {
        await sql(engine, STREAM(connector));
        await sql(engine, Q12('first'));
        await sql(engine, 'CREATE MATERIALIZED VIEW taken AS SELECT bidder, price, date_time, p_time FROM bid');
        const total = Math.ceil((EVENTS * 0.92) / tickRows);
        const stop = 1 + random(total - 1);
        const seen = new Set<string>();
        for (let tick = 0; engine.sourceTicks.pump(); tick++) {
          seen.add(String(clock));
          if (tick === stop) {
            await sql(engine, Q12('later'));
            assert.deepEqual(await answer(engine, 'later'), await answer(engine, 'first'));
          }
          clock += BigInt(random(4)) * 1_234_567n;
        }
        await sql(engine, Q12('last'));
        const first = await answer(engine, 'first');
        assert.deepEqual(first, await oracle(db, await sql(engine, 'SELECT bidder, p_time FROM taken')));
        assert.deepEqual(await answer(engine, 'later'), first);
        assert.deepEqual(await answer(engine, 'last'), first);
        // Read again from the start, every bid has the time it got when it was taken in.
        const bids = 'SELECT bidder, price, date_time, p_time FROM bid ORDER BY 4, 3, 2, 1';
        assert.deepEqual(await sql(engine, bids), await sql(engine, bids.replace('bid ORDER', 'taken ORDER')));
        assert.deepEqual(await sql(engine, 'SELECT count(DISTINCT p_time) FROM taken'), [[String(seen.size)]]);
      } finally {
        await engine.close();
        await db.close();
      }
    });
  }
}
