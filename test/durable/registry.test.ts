/** Streams of Avro and Protobuf messages over restarts: the schemas that messages name are in the data directory, so the registry is not needed and what it says by now does not count. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckpointSettings } from '../../src/checkpoint/schedule.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';
import { framed, TestRegistry } from '../engine/test_registry.ts';
import { otherLayout } from './other_layout.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-registry-'));
after(() => rmSync(root, { recursive: true, force: true }));

const QUESTIONS = [
  'SELECT * FROM v ORDER BY o',
  'SELECT * FROM t ORDER BY id',
  'SELECT partition, "offset", sqlstate, reason, message FROM tidemark.errors(\'s\') ORDER BY 2',
];

type Format = 'avro' | 'protobuf';

type Writer = (value: { id: number; name?: string; more?: string }) => Buffer;

const field = (name: string, type: string) => ({ name, type });

/** What makes keys and values, by schemas 1 to 4. */
const WRITERS: Record<Format, (registry: TestRegistry) => { key: (id: number) => Buffer; writers: Writer[] }> = {
  avro: (registry) => ({
    key: registry.add(1, 'int'),
    writers: [
      registry.add(2, { type: 'record', name: 'R', fields: [field('id', 'int'), field('name', 'string')] }),
      registry.add(3, { type: 'record', name: 'R', fields: [field('more', 'string'), field('id', 'long')] }),
      registry.add(4, { type: 'record', name: 'R', fields: [field('name', 'string')] }),
    ],
  }),
  protobuf: (registry) => {
    const key = registry.addProtobuf(1, 'syntax = "proto3"; message K { int32 id = 1; }', 'K');
    return {
      key: (id) => key({ id }),
      writers: [
        registry.addProtobuf(2, 'syntax = "proto3"; message R { int32 id = 1; string name = 2; }', 'R'),
        registry.addProtobuf(
          3,
          'message N {} message R { optional string more = 1; optional int64 id = 9; }',
          'R',
          [1],
        ),
        registry.addProtobuf(4, 'syntax = "proto3"; message R { optional string name = 5; }', 'R'),
      ],
    };
  },
};

/** Crashes between two ticks. */
async function restarts(format: Format, checkpoints: CheckpointSettings | null): Promise<void> {
  const { random } = seeded(`${format} ${checkpoints === null ? 'log' : 'checkpoints'}`);
  const registry = new TestRegistry();
  await registry.start();
  const topics = { s: new MessageSource(), t: new MessageSource() };
  let engine!: TidemarkEngine;
  let disk = new MemoryDisk();
  const start = async () => {
    engine = await openEngine({
      clock: () => 0n,
      tickRows: 3,
      openSource: ({ options }) => topics[options.topic as 's' | 't'],
    });
    await openData(engine, { path: root, disk, segmentBytes: 2000, checkpoints });
  };
  const state = async () => {
    const answers: unknown[] = [engine.loop.tick];
    for (const question of QUESTIONS) answers.push(await sql(engine, question));
    return answers;
  };
  const ticks = async (rows: number) => {
    for (const end = Date.now() + 20_000; ; await sleep(5)) {
      while (engine.sourceTicks.pump());
      const [[n]] = await sql(engine, "SELECT (SELECT count(*) FROM v) + (SELECT count(*) FROM tidemark.errors('s'))");
      if (Number(n) === rows) return;
      assert.ok(Date.now() < end, `${n} of ${rows}`);
    }
  };
  try {
    await start();
    const WITH = (topic: string) =>
      `WITH (connector = 'kafka', brokers = 'memory', topic = '${topic}', format = '${format}', schema_registry = '${registry.url}'${topic === 't' ? ", envelope = 'upsert'" : ''})`;
    await sql(
      engine,
      `CREATE STREAM s (id int, name text DEFAULT 'none') INCLUDE OFFSET AS o ${WITH('s')};
       CREATE TABLE t (id int PRIMARY KEY, name text) ${WITH('t')};
       CREATE MATERIALIZED VIEW v AS SELECT * FROM s`,
    );
    const { key, writers } = WRITERS[format](registry);
    const value = () => writers[random(3)]({ id: random(100), name: `name ${random(10)}`, more: 'more' });
    let rows = 0;
    const send = (n: number) => {
      rows += n;
      for (let i = 0; i < n; i++) {
        topics.s.send({ value: random(6) === 0 ? framed(99, value()) : value() });
        topics.t.send({
          key: key(random(5)),
          value: random(4) === 0 ? null : writers[0]({ id: 0, name: `${random(9)}` }),
        });
      }
    };
    for (let round = 0; round < 4; round++) {
      send(5 + random(20));
      await ticks(rows);
      if (checkpoints !== null && round % 2 === 1) await engine.checkpoints?.take();
      // Whatever the registry says by now.
      if (round === 1) registry.answer = (_request, response) => response.end('{"schema":"\\"string\\""}');
      if (round === 2) await registry.stop();
      const before = await state();
      await engine.journal?.durable();
      const left = disk.crash((_, unsynced) => random(unsynced + 1));
      await engine.close();
      disk = left;
      await start();
      assert.deepEqual(await state(), before, `round ${round}`);
    }
    send(10);
    await ticks(rows);
    await sql(engine, 'CREATE MATERIALIZED VIEW later AS SELECT * FROM s');
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM later ORDER BY o'),
      await sql(engine, 'SELECT * FROM v ORDER BY o'),
    );
    assert.equal(registry.asked.filter((path) => path.endsWith('/2')).length, 2);
    assert.deepEqual(await sql(engine, "SELECT status FROM tidemark.sources WHERE name = 's'"), [['running']]);
    if (checkpoints === null) return;
    // A program of another version finds them in the copy that an orderly end leaves.
    const before = await state();
    await engine.close();
    otherLayout(disk);
    await start();
    assert.equal(engine.recovery?.checkpoint, null);
    assert.deepEqual(await state(), before);
  } finally {
    await engine.close();
    await registry.stop();
  }
}

for (const format of ['avro', 'protobuf'] as const) {
  test(`${format}: from the log`, () => restarts(format, null));

  test(`${format}: from checkpoints`, () => restarts(format, { seconds: 1e6, logBytes: 1e9 }));
}
