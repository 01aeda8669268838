/**
 * Views made at any time over streams whose old state is freed, with partitions that run apart and bring late rows, over crashes with
 * checkpoints and without: each equals its query over all accepted rows, computed from scratch.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { MessageSource, type TestMessage } from '../engine/message_source.ts';

/** For the lock; everything else lies in a MemoryDisk. */
const root = mkdtempSync(join(tmpdir(), 'tidemark-later-'));
after(() => rmSync(root, { recursive: true, force: true }));

const PARTITIONS = 3;
const TICKS = 150;

const QUERIES: Record<string, string> = {
  tumble:
    "SELECT window_start, auction, count(*) AS n, max(price) AS m, count(DISTINCT bidder) AS b FROM TUMBLE(bid, at, INTERVAL '10 seconds') GROUP BY 1, 2",
  hop: "SELECT window_start, sum(price) AS s FROM HOP(bid, at, INTERVAL '5 seconds', INTERVAL '20 seconds') GROUP BY 1",
  sessions:
    "SELECT bidder, window_start, window_end, count(*) AS n FROM SESSION(bid, at, INTERVAL '3 seconds', bidder) GROUP BY bidder, window_start, window_end",
  band: 'SELECT a.id, b.price, b.bidder FROM auction a JOIN bid b ON a.id = b.auction AND b.at BETWEEN a.at AND a.expires',
  outer_band:
    "SELECT a.id, b.price FROM auction a LEFT JOIN bid b ON a.id = b.auction AND b.at BETWEEN a.at AND a.at + INTERVAL '10 seconds'",
  best: "SELECT * FROM (SELECT window_start, price, bidder, row_number() OVER (PARTITION BY window_start ORDER BY price DESC, bidder, auction) AS r FROM TUMBLE(bid, at, INTERVAL '10 seconds')) x WHERE r <= 2",
  seconds: "SELECT DISTINCT date_trunc('second', at) AS second FROM bid",
  both: `SELECT w.s, w.n, v.n AS auctions FROM (SELECT window_start AS s, count(*) AS n FROM TUMBLE(bid, at, INTERVAL '10 seconds') GROUP BY 1) w
    FULL JOIN (SELECT window_start AS s, count(*) AS n FROM TUMBLE(auction, at, INTERVAL '10 seconds') GROUP BY 1) v ON w.s = v.s`,
};

class World {
  readonly random: (n: number) => number;
  readonly topics = new Map([
    ['bid', new MessageSource(PARTITIONS)],
    ['auction', new MessageSource(PARTITIONS)],
  ]);
  /** Seconds of event time, by partition: they run apart. */
  readonly times = Array.from({ length: PARTITIONS }, () => 0);
  disk = new MemoryDisk();
  engine!: TidemarkEngine;

  constructor(random: (n: number) => number) {
    this.random = random;
  }

  async open(checkpoints: object | null): Promise<void> {
    this.engine = await openEngine({
      tickRows: 12,
      clock: () => 0n,
      openSource: (spec) => this.topics.get(spec.options.topic) as MessageSource,
    });
    const path = join(root, checkpoints === null ? 'log' : 'checkpoints');
    mkdirSync(path, { recursive: true });
    await openData(this.engine, { path, disk: this.disk, segmentBytes: 8192, checkpoints });
  }

  async crash(): Promise<void> {
    const left = this.disk.crash((_, unsynced) => this.random(unsynced + 1));
    await this.engine.close();
    this.disk = left;
  }

  send(): void {
    const { random } = this;
    const partition = random(PARTITIONS);
    this.times[partition] += random(3);
    const text = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + Math.max(0, seconds) * 1000).toISOString();
    const at = () => {
      const age = random(15) === 0 ? 5 + random(30) : random(3);
      return random(60) === 0 ? null : text(this.times[partition] - age);
    };
    const messages = Array.from({ length: random(12) }, (): TestMessage => {
      const bid = { auction: random(8), bidder: random(5), price: random(50), at: at() };
      return { partition, value: random(80) === 0 ? '{"auction":' : JSON.stringify(bid) };
    });
    this.topics.get('bid')?.send(...messages);
    if (random(2) > 0) return;
    const auction = { id: random(8), at: at(), expires: text(this.times[partition] + random(20)) };
    this.topics.get('auction')?.send({ partition, value: JSON.stringify(auction) });
  }

  async compare(label: string): Promise<void> {
    for (const { name } of this.engine.loop.views()) {
      const query = QUERIES[name.replace(/_\d+$/, '')];
      const texts = async (text: string) => (await sql(this.engine, text)).map((row) => JSON.stringify(row)).sort();
      assert.deepEqual(await texts(`SELECT * FROM ${name}`), await texts(query), `${name}, ${label}`);
    }
  }
}

for (const checkpoints of [null, { seconds: 1e6, logBytes: 1e9 }]) {
  const how = checkpoints === null ? 'the log' : 'checkpoints';
  test(`views made at any time are exact, by ${how}`, { timeout: 300_000 }, async () => {
    const { random, seed } = seeded(`later views, by ${how}`);
    const world = new World(random);
    await world.open(checkpoints);
    const source = (topic: string) =>
      `WITH (connector = 'kafka', brokers = 'memory', topic = '${topic}', idle_timeout = '1 hour')`;
    await sql(
      world.engine,
      `CREATE STREAM bid (auction int, bidder int, price int, at timestamp, WATERMARK FOR at AS at - INTERVAL '3 seconds') ${source('bid')};
       CREATE STREAM auction (id int, at timestamp, expires timestamp, WATERMARK FOR at AS at - INTERVAL '3 seconds') ${source('auction')};
       CREATE MATERIALIZED VIEW tumble_0 AS ${QUERIES.tumble}`,
    );
    const names = Object.keys(QUERIES);
    let made = 0;
    for (let tick = 0; tick < TICKS; tick++) {
      world.send();
      world.engine.sourceTicks.pump();
      if (random(8) === 0) {
        const name = names[random(names.length)];
        const making = sql(world.engine, `CREATE MATERIALIZED VIEW ${name}_${++made} AS ${QUERIES[name]}`);
        // Ticks go on while it is filled.
        for (let turns = random(4); turns > 0; turns--) {
          world.send();
          world.engine.sourceTicks.pump();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await making;
      }
      const views = [...world.engine.loop.views()];
      if (views.length > 6) await sql(world.engine, `DROP MATERIALIZED VIEW ${views[random(views.length)].name}`);
      if (checkpoints !== null && random(20) === 0) void world.engine.checkpoints?.take();
      if (random(40) === 0) {
        await world.engine.journal?.durable();
        await world.crash();
        await world.open(checkpoints);
        await world.compare(`tick ${tick}, after a crash, seed ${seed}`);
      } else if (random(30) === 0) await world.compare(`tick ${tick}, seed ${seed}`);
    }
    assert.ok(made > 5);
    await world.compare(`at the end, seed ${seed}`);
    assert.notDeepEqual(await sql(world.engine, "SELECT count(*) FROM tidemark.late('bid')"), [['0']]);
    await world.engine.close();
  });
}
