/** Streams over restarts: the same ticks, the same late rows, the same errors, the same watermarks; what a topic no longer has is named. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CheckpointSettings } from '../../src/checkpoint/schedule.ts';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import type { RawBatch } from '../../src/sources/source.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-streams-'));
after(() => rmSync(root, { recursive: true, force: true }));

const WITH = (topic: string, more = '') => `WITH (connector = 'kafka', brokers = 'memory', topic = '${topic}'${more})`;

/** Topics that outlive engines, and an engine over them with a clock that the test turns. */
class World {
  readonly topics = new Map<string, MessageSource>();
  readonly #name: string;
  readonly #checkpoints: CheckpointSettings | null;
  now = 0n;
  engine!: TidemarkEngine;

  /** `checkpoints` null: everything comes from the log. */
  constructor(name: string, checkpoints: CheckpointSettings | null = null) {
    this.#name = name;
    this.#checkpoints = checkpoints;
  }

  topic(name: string, partitions = 1): MessageSource {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = new MessageSource(partitions);
      this.topics.set(name, topic);
    }
    return topic;
  }

  async start(): Promise<void> {
    this.engine = await openEngine({
      clock: () => this.now,
      tickRows: 7,
      openSource: (spec) => this.topic(spec.options.topic),
    });
    await openData(this.engine, { path: join(root, this.#name), segmentBytes: 2000, checkpoints: this.#checkpoints });
  }

  async restart(): Promise<void> {
    await this.engine.close();
    await this.start();
  }

  async state(questions: string[]): Promise<unknown> {
    const { engine } = this;
    const answers: unknown[] = [engine.loop.tick];
    for (const stream of engine.streams.values()) {
      answers.push(stream.watermark, [...stream.partitionPositions()], stream.statistics, stream.history.save());
    }
    for (const question of questions) answers.push(await sql(engine, question));
    return answers;
  }
}

async function randomRestarts(checkpoints: CheckpointSettings | null): Promise<void> {
  const { random } = seeded('streams over restarts');
  const world = new World(checkpoints === null ? 'random' : 'checkpoints', checkpoints);
  world.topic('clicks', 3);
  world.topic('users');
  await world.start();
  await sql(
    world.engine,
    `CREATE STREAM clicks (at timestamp, who int, n numeric, seen timestamptz DEFAULT now(),
       WATERMARK FOR at AS at - INTERVAL '5 seconds') INCLUDE PARTITION AS p INCLUDE OFFSET AS o ${WITH('clicks', ", idle_timeout = '1 hour'")};
     CREATE TABLE users (id int PRIMARY KEY, name text) ${WITH('users', ", envelope = 'upsert'")};
     CREATE MATERIALIZED VIEW first AS SELECT who, count(*) AS n, sum(n) AS s, max(seen) AS seen FROM clicks GROUP BY who;
     CREATE MATERIALIZED VIEW recent AS SELECT p, o FROM clicks WHERE seen > now() - INTERVAL '20 seconds';`,
  );
  const questions = [
    'SELECT * FROM first ORDER BY who',
    'SELECT * FROM recent ORDER BY p, o',
    'SELECT * FROM users ORDER BY id',
    "SELECT * FROM tidemark.late('clicks') ORDER BY p, o",
    'SELECT partition, "offset", sqlstate, reason FROM tidemark.errors(\'clicks\') ORDER BY 1, 2',
    'SELECT at, who, n, seen, p, o FROM clicks ORDER BY p, o',
  ];
  let second = 100;
  for (let step = 0; step < 60; step++) {
    world.now += BigInt(random(3) * 1_000_000);
    second += random(3);
    for (let i = random(12); i > 0; i--) {
      const at = second - random(12);
      const value =
        random(15) === 0
          ? '{"at":"never"}'
          : `{"at":"${new Date(at * 1000).toISOString().slice(0, -1)}","who":${random(4)},"n":${random(100)}.5}`;
      world.topic('clicks').send({ partition: random(3), value });
    }
    if (random(2) === 0) {
      const key = String(random(5));
      world.topic('users').send({ key, value: random(4) === 0 ? null : `{"id":${key},"name":"user ${step}"}` });
    }
    for (let ticks = random(4); ticks > 0 && world.engine.sourceTicks.pump(); ticks--);
    if (step === 20) {
      await sql(
        world.engine,
        `CREATE MATERIALIZED VIEW later AS SELECT who, count(*) AS n, sum(n) AS s, max(seen) AS seen FROM clicks GROUP BY who;
         CREATE MATERIALIZED VIEW joined AS SELECT u.name, c.n FROM clicks c JOIN users u ON u.id = c.who;
         CREATE MATERIALIZED VIEW dropped AS SELECT count(*) FROM joined;`,
      );
      questions.push('SELECT * FROM later ORDER BY who', 'SELECT * FROM joined ORDER BY name, n');
    }
    if (step === 30) await sql(world.engine, 'DROP MATERIALIZED VIEW dropped');
    if (random(6) > 0) continue;
    const before = await world.state(questions);
    await world.restart();
    assert.deepEqual(await world.state(questions), before, `step ${step}`);
  }
  while (world.engine.sourceTicks.pump());
  await world.restart();
  // Made last, over the history: the same rows as the view that was there from the beginning.
  await sql(
    world.engine,
    'CREATE MATERIALIZED VIEW last AS SELECT who, count(*) AS n, sum(n) AS s, max(seen) AS seen FROM clicks GROUP BY who',
  );
  const first = await sql(world.engine, 'SELECT * FROM first ORDER BY who');
  assert.deepEqual(await sql(world.engine, 'SELECT * FROM last ORDER BY who'), first);
  assert.deepEqual(await sql(world.engine, 'SELECT * FROM later ORDER BY who'), first);
  const late = await sql(world.engine, "SELECT count(*) FROM tidemark.late('clicks')");
  assert.ok(Number(late[0][0]) > 0);
  await world.engine.close();
}

test('streams, keyed tables and views of any age come back at random instants', { timeout: 120_000 }, () =>
  randomRestarts(null),
);

test('streams, keyed tables and views of any age come back by checkpoints', { timeout: 120_000 }, () =>
  randomRestarts({}),
);

test('views serve what they had before new input is taken', async () => {
  const world = new World('order');
  const topic = world.topic('t');
  await world.start();
  await sql(
    world.engine,
    `CREATE STREAM s (a int) ${WITH('t')}; CREATE MATERIALIZED VIEW v AS SELECT sum(a) AS s FROM s`,
  );
  topic.send({ value: '{"a":1}' }, { value: '{"a":2}' });
  while (world.engine.sourceTicks.pump());
  topic.send({ value: '{"a":100}' });
  await world.restart();
  assert.deepEqual(await sql(world.engine, 'SELECT * FROM v'), [['3']]);
  while (world.engine.sourceTicks.pump());
  assert.deepEqual(await sql(world.engine, 'SELECT * FROM v'), [['103']]);
  await world.engine.close();
});

/** A topic that has lost its beginning. */
class Trimmed extends MessageSource {
  first = 0n;

  override startOffsets(): Promise<Map<number, bigint>> {
    return Promise.resolve(new Map([[0, this.first]]));
  }
}

test('a start without the records that the log refers to is refused, and names them', async () => {
  const world = new World('gone');
  const topic = new Trimmed();
  world.topics.set('t', topic);
  await world.start();
  await sql(
    world.engine,
    `CREATE STREAM s (a int) ${WITH('t')}; CREATE MATERIALIZED VIEW v AS SELECT sum(a) AS s FROM s`,
  );
  for (let i = 0; i < 20; i++) topic.send({ value: `{"a":${i}}` });
  while (world.engine.sourceTicks.pump());
  await world.engine.close();
  topic.first = 5n;
  await assert.rejects(world.start(), (error: { sqlstate: string; message: string; fields: { detail?: string } }) => {
    assert.equal(error.sqlstate, '58P01');
    assert.equal(error.message, 'topic "t" of "s" no longer has what the log refers to');
    assert.match(error.fields.detail ?? '', /^partition 0, offsets 0 to 4: it begins at 5\. At record \d+ \(tick 1; /);
    return true;
  });
  // Nothing was changed: with the records back it starts. A stream that was dropped needs none.
  await world.engine.close();
  topic.first = 0n;
  await world.start();
  assert.deepEqual(await sql(world.engine, 'SELECT * FROM v'), [['190']]);
  await sql(world.engine, 'DROP STREAM s CASCADE; CREATE TABLE t (a int)');
  topic.first = 20n;
  await world.restart();
  assert.deepEqual(await sql(world.engine, 'SELECT * FROM t'), []);
  await world.engine.close();
});

/** A topic whose cleaner takes single records away, and that has an id. */
class Compacted extends MessageSource {
  readonly gone = new Set<number>();
  identity = 'a';
  expected: string | null = null;

  expect(identity: string): void {
    this.expected = identity;
  }

  override async *readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch> {
    for await (const batch of super.readRange(partition, from, to)) {
      const left = Array.from({ length: batch.n }, (_, i) => i).filter((i) => !this.gone.has(batch.offset[i]));
      yield {
        ...batch,
        n: left.length,
        valueStart: batch.valueStart.filter((_, i) => left.includes(i)),
        valueEnd: batch.valueEnd.filter((_, i) => left.includes(i)),
        keyStart: batch.keyStart.filter((_, i) => left.includes(i)),
        keyEnd: batch.keyEnd.filter((_, i) => left.includes(i)),
        offset: batch.offset.filter((_, i) => left.includes(i)),
        timestamp: batch.timestamp.filter((_, i) => left.includes(i)),
        headers: (i) => batch.headers(left[i]),
      };
    }
  }
}

test('records that compaction took away are missed by a start, by a later view and by SELECT; the topic’s id is kept', async () => {
  const missing = { sqlstate: '58P01', message: /of 20 records that .* read from partition 0, 19 are left$/ };
  for (const checkpoints of [null, {}]) {
    const world = new World(`compacted-${checkpoints === null ? 'log' : 'checkpoint'}`, checkpoints);
    const topic = new Compacted();
    world.topics.set('t', topic);
    await world.start();
    await sql(
      world.engine,
      `CREATE STREAM s (a int) ${WITH('t')}; CREATE MATERIALIZED VIEW v AS SELECT sum(a) AS s FROM s`,
    );
    for (let i = 0; i < 20; i++) topic.send({ value: `{"a":${i}}` });
    while (world.engine.sourceTicks.pump());
    await world.restart();
    assert.equal(topic.expected, 'a');
    assert.deepEqual(await sql(world.engine, 'SELECT count(a) FROM s WHERE a >= 0'), [['20']]);
    topic.gone.add(7);
    await assert.rejects(sql(world.engine, 'SELECT count(a) FROM s WHERE a >= 0'), missing);
    const later = 'CREATE MATERIALIZED VIEW later AS SELECT a, count(*) AS n FROM s GROUP BY a';
    await assert.rejects(sql(world.engine, later), missing);
    if (checkpoints === null) {
      await world.engine.close();
      await assert.rejects(world.start(), {
        sqlstate: '58P01',
        message: /of \d+ records that the stream with OID \d+ read/,
      });
      await world.engine.close();
    } else {
      await world.restart();
      assert.deepEqual(await sql(world.engine, 'SELECT * FROM v'), [['190']]);
      await assert.rejects(sql(world.engine, later), missing);
    }
    topic.gone.clear();
    if (checkpoints === null) await world.start();
    await sql(world.engine, later);
    assert.deepEqual(await sql(world.engine, 'SELECT sum(n), sum(a) FROM later'), [['20', '190']]);
    await world.engine.close();
  }
});
