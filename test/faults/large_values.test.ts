/** Values of many parts, for a server with a small heap: what does not fit in it is refused, and the others' sessions go on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, test } from 'node:test';
import { from as copyFrom } from 'pg-copy-streams';
import { Child } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-large-'));
after(() => rmSync(root, { recursive: true, force: true }));

const HEAP_MB = 768;
const MESSAGE_BYTES = 30 << 20;
/** A list of as many equal parts as a message has room for. */
const many = (part: string, [open, close]: string) =>
  `${open}${`${part},`.repeat(MESSAGE_BYTES / (part.length + 1))}${part}${close}`;
const keys = () => `{${Array.from({ length: 2_000_000 }, (_, i) => `"${i.toString(36)}":1`).join(',')}}`;
const nested = `${'['.repeat(999)}${']'.repeat(999)}`;

test('documents and arrays of millions of parts', { timeout: 300_000 }, async (t) => {
  const child = await Child.start(join(root, 'data'), {
    before: [process.execPath, `--max-old-space-size=${HEAP_MB}`],
  });
  t.after(() => child.kill());
  const client = await child.connect();
  await client.query('CREATE TABLE documents (j jsonb); CREATE TABLE arrays (n numeric[])');
  const values: [statement: string, value: () => string][] = [
    ['INSERT INTO documents VALUES ($1)', () => many('1', '[]')],
    ['INSERT INTO documents VALUES ($1)', () => many('[]', '[]')],
    ['INSERT INTO documents VALUES ($1)', () => many(nested, '[]')],
    ['INSERT INTO documents VALUES ($1)', keys],
    ["SELECT $1::json -> 'a'", keys],
    ['INSERT INTO arrays VALUES ($1)', () => many('1', '{}')],
    ['SELECT cardinality($1::text[])', () => many('ab', '{}')],
  ];
  for (const [statement, value] of values)
    await assert.rejects(client.query(statement, [value()]), { code: '54000' }, statement);
  for (const made of [
    'array_agg(1) FROM generate_series(1, 5000000)',
    'json_agg(1) FROM generate_series(1, 5000000)',
    "array_agg(a) FROM (SELECT string_to_array(repeat('a,', 200000), ',') AS a) x, generate_series(1, 30)",
  ])
    await assert.rejects(client.query(`SELECT ${made}`), { code: '54000' }, made);
  const long = "repeat('x', 140000000)";
  for (const [value, length] of [
    [`reverse(${long})`, 140_000_000],
    [`trim(${long} || '😀')`, 140_000_001],
  ])
    assert.deepEqual(await child.rows(`SELECT length(${value})`), [[length]]);
  const line = Buffer.from(`${many('1', '[]')}\n`);
  const pieces = Array.from({ length: Math.ceil(line.length / 2 ** 20) }, (_, i) =>
    line.subarray(i << 20, (i + 1) << 20),
  );
  await assert.rejects(pipeline(Readable.from(pieces), client.query(copyFrom('COPY documents FROM STDIN'))), {
    code: '54000',
  });
  await client.query('INSERT INTO documents VALUES ($1)', [`[${'1,'.repeat(999_999)}1]`]);
  assert.deepEqual(
    await child.rows('SELECT jsonb_array_length(j), (SELECT count(*)::int FROM arrays) FROM documents'),
    [[1_000_000, 0]],
  );
  await client.end();
});
