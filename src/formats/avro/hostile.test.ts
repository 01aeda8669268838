/** Schemas and messages that are made to do harm: refused as any other bad message, soon and in little memory; and what a run of messages must not share. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../operators/batch/builder.ts';
import '../../../operators/expr/functions/index.ts';
import { colType, OID } from '../../../operators/types.ts';
import { Schemas } from '../../registry/schemas.ts';
import type { BadRow } from '../format.ts';
import { framedBatch } from '../testing/framed_batch.ts';
import { avroDecoder } from './index.ts';

const FRAMING = Buffer.from([0, 0, 0, 0, 1]);

/** Reads bodies, `step` at a time, into a column `a`. */
function read(schema: unknown, oid: number, bodies: Buffer[], timestamps = [0], step = bodies.length) {
  const schemas = new Schemas();
  schemas.add(1, { texts: [typeof schema === 'string' ? schema : JSON.stringify(schema)] });
  const type = colType(oid);
  const columns = [{ name: 'a', type, notNull: false, origin: { k: 'field' as const, name: 'a' } }];
  const decoder = avroDecoder({ columns, needed: [0] }, { registry: null, schema: null, key: 'avro' }, schemas);
  const arena = new Arena();
  try {
    const out = new BatchBuilder([type], arena, 1);
    const raw = framedBatch(bodies.map((body, i) => ({ value: Buffer.concat([FRAMING, body]), time: timestamps[i] })));
    const bad: BadRow[] = [];
    for (let i = 0; i < raw.n; i += step) bad.push(...decoder.decode(raw, i, Math.min(raw.n, i + step), out, 0n));
    const batch = out.build();
    return { rows: Array.from({ length: batch.n }, (_, row) => readRow(batch, row)), bad };
  } finally {
    decoder.release();
    arena.release();
  }
}

/** Why one message is refused. */
function refused(schema: unknown, oid: number, ...bytes: Buffer[]): string {
  const { rows, bad } = read(schema, oid, [Buffer.concat(bytes)]);
  assert.deepEqual([rows.length, bad.length], [0, 1]);
  return bad[0].reason;
}

function record(...fields: unknown[]) {
  return { type: 'record', name: 'Top', fields };
}

/** How many items a block has. */
function count(items: number): Buffer {
  const bytes: number[] = [];
  let bits = items * 2;
  for (; bits > 127; bits = Math.floor(bits / 128)) bytes.push((bits % 128) + 128);
  return Buffer.from([...bytes, bits]);
}

const END = Buffer.from([0]);

test("'now' is the time of the record, whatever is read with it", () => {
  const schema = record({ name: 'a', type: 'string' });
  const bodies = Array.from({ length: 6 }, () => Buffer.from([6, ...Buffer.from('now')]));
  const times = bodies.map((_, i) => 1e12 + i);
  const one = read(schema, OID.timestamptz, bodies, times, 1);
  assert.equal(new Set(one.rows.map(String)).size, bodies.length);
  for (const step of [2, 4, 6]) assert.deepEqual(read(schema, OID.timestamptz, bodies, times, step), one);
});

test('texts that the schema has, not the message, are counted', () => {
  const long = { type: 'enum', name: 'Long', symbols: ['s'.repeat(100_000)] };
  const labels = record({ name: 'a', type: { type: 'array', items: long } });
  const many = [count(5000), Buffer.alloc(5000), END];
  assert.match(refused(labels, OID.jsonb, ...many), /text would be too long/);
  assert.match(refused(labels, OID._text, ...many), /text would be too long/);
  const named = { type: 'record', name: 'Named', fields: [{ name: 'n'.repeat(100_000), type: 'boolean' }] };
  assert.match(
    refused(record({ name: 'a', type: { type: 'array', items: named } }), OID.json, ...many),
    /text would be too long/,
  );
  const exact = { type: 'bytes', logicalType: 'decimal', precision: 16_000, scale: 16_000 };
  const digits = record({ name: 'a', type: { type: 'array', items: exact } });
  assert.match(refused(digits, OID._text, ...many), /text would be too long/);
});

test('values without bytes are counted wherever they are', () => {
  const nulls = Array.from({ length: 500 }, (_, i) => ({ name: `n${i}`, type: 'null' }));
  const items = { type: 'array', items: { type: 'record', name: 'Nulls', fields: nulls } };
  for (const name of ['a', 'other'])
    assert.match(refused(record({ name, type: items }), OID.jsonb, count(1000), END), /claims more items/);
});

test('a record that is named in many places is looked at once', () => {
  const wide = { type: 'record', name: 'Wide', fields: Array.from({ length: 2000 }, (_, i) => field(`w${i}`, 'int')) };
  const uses = Array.from({ length: 2000 }, (_, i) => ({
    type: 'record',
    name: `Use${i}`,
    fields: [field('x', 'Wide')],
  }));
  const before = process.memoryUsage().heapUsed;
  assert.match(refused(record(field('a', [wide, ...uses])), OID.jsonb, count(1)), /ends within a number/);
  assert.match(
    refused(record(field('b', wide), ...uses.map((_, i) => field(`b${i}`, 'Wide'))), OID.int4),
    /ends within/,
  );
  assert.match(refused(Array(2000).fill('Wide').toSpliced(0, 1, wide), OID.int4, count(1)), /ends within/);
  // Readers of four million fields would be a gigabyte.
  assert.ok(process.memoryUsage().heapUsed - before < 300e6);
});

test('messages by a schema with very many fields', () => {
  const fields = Array.from({ length: 5000 }, (_, i) => field(i === 4000 ? 'a' : `f${i}`, 'int'));
  const body = Buffer.alloc(5000);
  body[4000] = 14;
  assert.deepEqual(read(record(...fields), OID.int4, [body, body]), { rows: [[7], [7]], bad: [] });
});

test('schemas that cannot be used', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const top = (type: string) => `{"type": "record", "name": "Top", "fields": [{"name": "a", "type": ${type}}]}`;
  assert.match(refused(record(field('a', [])), OID.int4, END), /no choice 0/);
  assert.match(refused(record(field('b', [])), OID.int4, END), /no choice 0/);
  assert.match(refused(top(`{"type": "fixed", "name": "F", "size": ${deep}}`), OID.int4), /size of a fixed/);
  assert.match(refused(top(`{"type": "enum", "name": "E", "symbols": [${deep}]}`), OID.int4), /symbol of an enum/);
  assert.match(refused(top('{"type": "enum", "name": "E", "symbols": ["a\\u0000b"]}'), OID.text), /symbol of an enum/);
  assert.match(refused(top(deep), OID.int4), /levels deep/);
  const long = refused(top(`"${'x'.repeat(100_000)}\\u0000"`), OID.int4);
  assert.ok(long.length < 1000 && long.includes('names the type "xxx'));
  assert.match(refused(top(`"${'x'.repeat(5_000_000)}"`), OID.int4), /more than 4194304 characters/);
});

function field(name: string, type: unknown) {
  return { name, type };
}
