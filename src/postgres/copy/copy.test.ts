import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { withScratch } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { OID } from '../../../operators/types.ts';
import type { CopyOptions } from '../../engine.ts';
import { CSV_COPY, type FakeRows, resultColumns, TEXT_COPY } from '../testing/fake_engine.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { errorFields, type WireClient } from '../testing/wire_client.ts';
import { BinaryDecoder } from './binary_decoder.ts';
import type { RowDecoder } from './row_decoder.ts';
import { TextDecoder } from './text_decoder.ts';

const COLUMNS: FakeRows['columns'] = [
  ['a', OID.int4],
  ['b', OID.text],
];
const BINARY_COPY: CopyOptions = { ...TEXT_COPY, format: 'binary' };

let harness: Harness;
let client: WireClient;

before(async () => {
  harness = await startHarness();
  harness.engine.copyIn('copy t from stdin', COLUMNS, TEXT_COPY);
  harness.engine.copyIn('copy t from stdin csv header', COLUMNS, { ...CSV_COPY, header: true });
  harness.engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
});

beforeEach(async () => {
  client = await harness.client();
  harness.engine.copied.length = 0;
});
after(() => harness.close());

function decoder(options: CopyOptions, columns = COLUMNS): RowDecoder {
  return options.format === 'binary'
    ? new BinaryDecoder('t', resultColumns(columns))
    : new TextDecoder('t', resultColumns(columns), options, defaultContext());
}

/** Decodes with chunk ends at every `step` bytes. */
function decode(data: Buffer | string, options: CopyOptions, step: number, columns = COLUMNS): Datum[][] {
  const bytes = Buffer.from(data);
  const decoding = decoder(options, columns);
  return withScratch((arena) => {
    const types = resultColumns(columns).map(({ type }) => type);
    const rows = new BatchBuilder(types, arena, 1);
    for (let at = 0; at < bytes.length; at += step) decoding.push(bytes.subarray(at, at + step), rows);
    decoding.end(rows);
    return Array.from({ length: rows.n }, (_, row) => readRow(rows.build(), row));
  });
}

/** The same rows wherever the chunks end. */
function decodeAnyhow(data: Buffer | string, options: CopyOptions, columns = COLUMNS): Datum[][] {
  const whole = decode(data, options, 1 << 20, columns);
  for (const step of [1, 2, 3, 7]) assert.deepEqual(decode(data, options, step, columns), whole, `chunks of ${step}`);
  return whole;
}

function failure(data: Buffer | string, options: CopyOptions, columns = COLUMNS): string {
  try {
    decode(data, options, 1 << 20, columns);
  } catch (cause) {
    if (cause instanceof SqlError) return `${cause.sqlstate} ${cause.message} | ${cause.fields.context}`;
    throw cause;
  }
  return 'no error';
}

test('of several errors of a line that of its encoding comes first, then too many fields, then those of the fields, then too few', () => {
  const columns: FakeRows['columns'] = [
    ['d', OID.date],
    ['a', OID.int4],
    ['b', OID.text],
  ];
  const at = 'COPY t, line 1';
  const of = (line: Buffer | string) => failure(line, TEXT_COPY, columns);
  assert.equal(of('soon\tx\ty\tz\n'), `22P04 extra data after last expected column | ${at}: "soon\tx\ty\tz"`);
  assert.equal(of('soon\n'), `22007 invalid input syntax for type date: "soon" | ${at}, column d: "soon"`);
  assert.equal(of('2026-01-02\tx\n'), `22P02 invalid input syntax for type integer: "x" | ${at}, column a: "x"`);
  assert.equal(of('2026-01-02\t7\n'), `22P04 missing data for column "b" | ${at}: "2026-01-02\t7"`);
  const odd = Buffer.from('soon\t7\tx\xff\n', 'latin1');
  assert.equal(of(odd), `22021 invalid byte sequence for encoding "UTF8": 0xff | ${at}`);
});

test('lines of csv are counted inside of quotes, too', () => {
  const column = 'column a: "x"';
  const of = (data: string) => failure(data, CSV_COPY);
  assert.equal(
    of('1,a\n2,"b\nc\nd"\nx,e\n'),
    `22P02 invalid input syntax for type integer: "x" | COPY t, line 5, ${column}`,
  );
  assert.equal(
    of('1,a\nx,"b\nc\nd"\n'),
    `22P02 invalid input syntax for type integer: "x" | COPY t, line 4, ${column}`,
  );
  assert.equal(
    of('1,a\r\n2,"b\nc\r\nd"\r\nx,e\r\n'),
    `22P02 invalid input syntax for type integer: "x" | COPY t, line 4, ${column}`,
  );
  // Which line ends count is known from the end of the first record on.
  assert.equal(of('1,"a\nb"\nx,c\n'), `22P02 invalid input syntax for type integer: "x" | COPY t, line 2, ${column}`);
});

test('no text has a zero', () => {
  const refused = '22021 invalid byte sequence for encoding "UTF8": 0x00 | COPY t, line 1';
  for (const options of [TEXT_COPY, CSV_COPY])
    assert.equal(failure(options === CSV_COPY ? '7,x\0y\n' : '7\tx\0y\n', options), refused);
  assert.equal(failure('7\tx\\000y\n', TEXT_COPY), refused);
  assert.equal(failure('7\tx\\x0\n', TEXT_COPY), refused);
});

test('HEADER MATCH looks at the names', () => {
  const match: CopyOptions = { ...CSV_COPY, header: 'match' };
  assert.deepEqual(decodeAnyhow('a,"b"\n1,x\n', match), [[1, 'x']]);
  assert.equal(
    failure('b,a\n1,x\n', match),
    '22P04 column name mismatch in header line field 1: got "b", expected "a" | COPY t, line 1: "b,a"',
  );
  assert.equal(
    failure('a\n', match),
    '22P04 wrong number of fields in header line: got 1, expected 2 | COPY t, line 1: "a"',
  );
});

test('FORCE_NULL and FORCE_NOT_NULL', () => {
  const both: FakeRows['columns'] = [
    ['b', OID.text],
    ['c', OID.text],
  ];
  const csv: CopyOptions = { ...CSV_COPY, null: 'N' };
  const rows = 'N,N\n"N","N"\nx,y\n';
  const last = ['x', 'y'];
  assert.deepEqual(decodeAnyhow(rows, csv, both), [[null, null], ['N', 'N'], last]);
  assert.deepEqual(decodeAnyhow(rows, { ...csv, forceNotNull: ['b'] }, both), [['N', null], ['N', 'N'], last]);
  assert.deepEqual(decodeAnyhow(rows, { ...csv, forceNull: '*' }, both), [[null, null], [null, null], last]);
  const crossed: CopyOptions = { ...csv, forceNotNull: ['b'], forceNull: ['b'] };
  assert.deepEqual(decodeAnyhow(rows, crossed, both), [['N', null], [null, 'N'], last]);
});

test('text: escapes, NULL, line ends, end marker', () => {
  const both: FakeRows['columns'] = [
    ['b', OID.text],
    ['c', OID.text],
  ];
  assert.deepEqual(decodeAnyhow('1\tx\n2\t\\N\n3\t\n', TEXT_COPY), [
    [1, 'x'],
    [2, null],
    [3, ''],
  ]);
  assert.deepEqual(decodeAnyhow('a\\tb\\nc\t\\\\N\\x41\\101\\q\n', TEXT_COPY, both), [['a\tb\nc', '\\NAAq']]);
  assert.deepEqual(decodeAnyhow('a\\\nb\tc\\\td\n', TEXT_COPY, both), [['a\nb', 'c\td']]);
  assert.deepEqual(decodeAnyhow('1\tx\r\n2\ty\r\n', TEXT_COPY), [
    [1, 'x'],
    [2, 'y'],
  ]);
  assert.deepEqual(decodeAnyhow('1\tx\r2\ty\r', TEXT_COPY), [
    [1, 'x'],
    [2, 'y'],
  ]);
  assert.deepEqual(decodeAnyhow('1\tx', TEXT_COPY), [[1, 'x']]);
  assert.deepEqual(decodeAnyhow('1\tx\n\\.\nrubbish', TEXT_COPY), [[1, 'x']]);
  assert.deepEqual(decodeAnyhow('\\xc3\\xa9\tä€😀\n', TEXT_COPY, both), [['é', 'ä€😀']]);
  assert.deepEqual(decodeAnyhow('1|x\n2|-\n', { ...TEXT_COPY, delimiter: '|', null: '-' }), [
    [1, 'x'],
    [2, null],
  ]);
  assert.deepEqual(decodeAnyhow('x\\', TEXT_COPY, [['b', OID.text]]), [['x\\']]);
  assert.deepEqual(decodeAnyhow('a\tb\n1\tx\n', { ...TEXT_COPY, header: true }), [[1, 'x']]);
  assert.deepEqual(decodeAnyhow('', TEXT_COPY), []);
});

test('csv: quotes, doubled quotes, line ends in quotes, NULL and empty', () => {
  assert.deepEqual(decodeAnyhow('1,x\n2,\n3,""\n', CSV_COPY), [
    [1, 'x'],
    [2, null],
    [3, ''],
  ]);
  assert.deepEqual(decodeAnyhow('1,"a,""b""\nc"\n2,"x"y"z"\n', CSV_COPY), [
    [1, 'a,"b"\nc'],
    [2, 'xyz'],
  ]);
  assert.deepEqual(decodeAnyhow('1,"a\r\nb"\r\n2,c\r\n', CSV_COPY), [
    [1, 'a\r\nb'],
    [2, 'c'],
  ]);
  const escaped: CopyOptions = { ...CSV_COPY, quote: "'", escape: '\\', delimiter: ';', null: 'NULL' };
  assert.deepEqual(decodeAnyhow("1;'a\\'b\\\\'\n2;NULL\n3;'NULL'\n", escaped), [
    [1, "a'b\\"],
    [2, null],
    [3, 'NULL'],
  ]);
  assert.deepEqual(decodeAnyhow('a,b\n1,x\n', { ...CSV_COPY, header: true }), [[1, 'x']]);
  assert.deepEqual(decodeAnyhow('1,a\\b\n\\.\n', CSV_COPY), [[1, 'a\\b']]);
});

test('errors name line and column', () => {
  assert.equal(
    failure('1\tx\ny\tz\n', TEXT_COPY),
    '22P02 invalid input syntax for type integer: "y" | COPY t, line 2, column a: "y"',
  );
  assert.equal(failure('1\n', TEXT_COPY), '22P04 missing data for column "b" | COPY t, line 1: "1"');
  assert.equal(
    failure('1\t2\t3\n', TEXT_COPY),
    '22P04 extra data after last expected column | COPY t, line 1: "1\t2\t3"',
  );
  assert.equal(failure('1,"x\n', CSV_COPY), '22P04 unterminated CSV quoted field | COPY t, line 1');
  assert.equal(failure('1\tx\n2\ty\rz\n', TEXT_COPY), '22P04 literal carriage return found in data | COPY t, line 2');
  assert.equal(
    failure(Buffer.from('1\t\xff\n', 'latin1'), TEXT_COPY),
    '22021 invalid byte sequence for encoding "UTF8": 0xff | COPY t, line 1',
  );
});

function binaryRows(rows: (Buffer | null)[][], trailer = true): Buffer {
  const parts: Buffer[] = [Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')];
  for (const row of rows) {
    parts.push(Buffer.from([0, row.length]));
    for (const field of row) {
      const length = Buffer.alloc(4);
      length.writeInt32BE(field === null ? -1 : field.length);
      parts.push(length, field ?? Buffer.alloc(0));
    }
  }
  if (trailer) parts.push(Buffer.from([0xff, 0xff]));
  return Buffer.concat(parts);
}

test('binary: rows, NULL, damage', () => {
  const data = binaryRows([
    [Buffer.from([0, 0, 0, 1]), Buffer.from('x')],
    [Buffer.from([0, 0, 0, 2]), null],
  ]);
  assert.deepEqual(decodeAnyhow(data, BINARY_COPY), [
    [1, 'x'],
    [2, null],
  ]);
  assert.equal(failure('PGCOPX', BINARY_COPY), '22P04 COPY file signature not recognized | undefined');
  assert.equal(failure(binaryRows([[null]]), BINARY_COPY), '22P04 row field count is 1, expected 2 | COPY t, line 1');
  assert.equal(failure(data.subarray(0, 40), BINARY_COPY), '22P04 unexpected EOF in COPY data | COPY t, line 2');
  assert.equal(
    failure(Buffer.concat([data, data]), BINARY_COPY),
    '22P04 received copy data after EOF marker | COPY t, line 2',
  );
  assert.match(failure(binaryRows([[Buffer.from([1]), null]]), BINARY_COPY), /\| COPY t, line 1, column a$/);
});

test('COPY FROM in the simple protocol', async () => {
  client.send(serialize.query('copy t from stdin'));
  assert.deepEqual(await client.until('G'), ['G 0 2']);
  client.send(
    serialize.copyData(Buffer.from('1\tx\n2')),
    serialize.copyData(Buffer.from('\ty\n')),
    serialize.copyDone(),
  );
  assert.deepEqual(await client.until('Z'), ['C COPY 2', 'Z I']);
  assert.deepEqual(harness.engine.copied, [
    [1, 'x'],
    [2, 'y'],
  ]);
});

test('COPY FROM in a pipeline: Sync during the copy is ignored', async () => {
  client.send(
    serialize.parse({ text: 'copy t from stdin' }),
    serialize.bind({}),
    serialize.execute({}),
    serialize.sync(),
    serialize.copyData(Buffer.from('1\tx\n')),
    serialize.copyDone(),
    serialize.sync(),
  );
  assert.deepEqual(await client.until('Z'), ['1', '2', 'G 0 2', 'C COPY 1', 'Z I']);
});

test('CopyFail and errors in the data; what follows of the copy is dropped', async () => {
  client.send(
    serialize.query('copy t from stdin'),
    serialize.copyData(Buffer.from('1\tx\n')),
    serialize.copyFail('changed my mind'),
  );
  assert.deepEqual(await client.until('Z'), ['G 0 2', 'E 57014 COPY from stdin failed: changed my mind', 'Z I']);
  client.send(
    serialize.query('copy t from stdin csv header'),
    serialize.copyData(Buffer.from('a,b\nx,y\n')),
    serialize.copyData(Buffer.from('1,2\n')),
    serialize.copyDone(),
    serialize.query('select 1'),
  );
  const messages = await client.messagesUntil('Z');
  assert.equal(errorFields(messages[1]).get('W'), 'COPY t, line 2, column a: "x"');
  assert.deepEqual(await client.until('Z'), ['T a:23:0', 'D 1', 'C SELECT 1', 'Z I']);
  assert.deepEqual(harness.engine.copied, []);
  client.send(serialize.query('copy t from stdin'), serialize.query('select 1'));
  assert.deepEqual(await client.until('Z'), [
    'G 0 2',
    'E 08P01 unexpected message type 0x51 during COPY from stdin',
    'Z I',
  ]);
});

const ROWS: Datum[][] = [
  [1, 'a\tb\\c\nd,"e"'],
  [-2, null],
  [3, ''],
  [4, '\\.'],
  [5, 'ä€😀'],
];

test('COPY TO in text', async () => {
  harness.engine.copyOut('copy t to stdout', { columns: COLUMNS, rows: ROWS }, { ...TEXT_COPY, header: true });
  client.send(serialize.query('copy t to stdout'));
  assert.deepEqual(await client.until('Z'), [
    'H 0 2',
    'd "a\\tb\\n"',
    'd "1\\ta\\\\tb\\\\\\\\c\\\\nd,\\"e\\"\\n"',
    'd "-2\\t\\\\N\\n"',
    'd "3\\t\\n"',
    'd "4\\t\\\\\\\\.\\n"',
    'd "5\\tä€😀\\n"',
    'c',
    'C COPY 5',
    'Z I',
  ]);
});

test('COPY TO in csv', async () => {
  harness.engine.copyOut('copy t to stdout', { columns: COLUMNS, rows: ROWS }, { ...CSV_COPY, forceQuote: ['a'] });
  client.send(serialize.query('copy t to stdout'));
  const lines = (await client.until('Z'))
    .filter((line) => line.startsWith('d'))
    .map((line) => JSON.parse(line.slice(2)));
  assert.deepEqual(lines, ['"1","a\tb\\c\nd,""e"""\n', '"-2",\n', '"3",""\n', '"4",\\.\n', '"5",ä€😀\n']);
});

test('COPY TO: a delimiter that occurs in numbers and dates', async () => {
  const columns: FakeRows['columns'] = [
    ['d', OID.date],
    ['n', OID.int4],
  ];
  harness.engine.copyOut('copy t to stdout', { columns, rows: [[0, -5]] }, { ...TEXT_COPY, delimiter: '-' });
  client.send(serialize.query('copy t to stdout'));
  assert.ok((await client.until('Z')).includes(`d ${JSON.stringify('2000\\-01\\-01-\\-5\n')}`));
});

test('what COPY TO writes COPY FROM reads, in every format', async () => {
  for (const options of [TEXT_COPY, CSV_COPY, BINARY_COPY, { ...CSV_COPY, null: '1', quote: "'", escape: '\\' }]) {
    harness.engine.copyOut('copy t to stdout', { columns: COLUMNS, rows: ROWS }, options);
    client.send(serialize.query('copy t to stdout'));
    const data = (await client.messagesUntil('Z')).filter(({ type }) => type === 'd').map(({ body }) => body);
    assert.deepEqual(decodeAnyhow(Buffer.concat(data), options), ROWS, JSON.stringify(options));
  }
});
