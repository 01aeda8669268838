/** Messages that would be very large, deep or slow: refused as any other bad message, soon and in little memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../operators/expr/functions/index.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { columnOf } from '../testing/framed_batch.ts';
import { decoded } from './testing/decoded.ts';

const SCHEMA = `syntax = "proto3"; message M { int64 n = 1; string s = 2; M m = 3; map<string, M> p = 5; }`;

/** What becomes of one message in one column: the value, or what is wrong. */
function read(name: string, type: ColType, message: Buffer, schema = SCHEMA): unknown {
  const [row] = decoded([columnOf(name, type)], { schema, message: 'M' }, [message]);
  return Array.isArray(row) ? row[0] : `${row.sqlstate} ${row.reason} (${row.column})`;
}

const int8 = colType(OID.int8);
const text = colType(OID.text);

/** So many messages, each within the one before. */
function nested(tag: number, depth: number): Buffer {
  let message = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) {
    const length: number[] = [];
    for (let n = message.length; ; n >>>= 7) {
      length.push(n > 127 ? (n & 127) | 128 : n);
      if (n <= 127) break;
    }
    message = Buffer.concat([Buffer.from([tag, ...length]), message]);
  }
  return message;
}

test('bombs', () => {
  assert.match(String(read('m', text, nested(26, 5000))), /nests more than 100 levels deep/);
  assert.equal(typeof read('m', text, nested(26, 90)), 'string');
  // Nobody looks into it.
  assert.equal(read('n', int8, nested(26, 5000)), 0n);
  assert.match(String(read('n', int8, Buffer.alloc(200_000, 0x7b))), /nests more than 100 levels deep/);
  const map = Buffer.alloc(60_000);
  for (let i = 0; i < map.length; i += 6) map.set([0x2a, 4, 10, 0, 18, 0], i);
  assert.match(String(read('p', text, map)), /^\{"":\{/);
  const fields = Array.from({ length: 2000 }, (_, i) => `int32 a_long_name_of_a_field_${i} = ${i + 1};`).join(' ');
  const wide = `syntax = "proto3"; message N { ${fields} } message M { repeated N r = 1; }`;
  const empties = Buffer.alloc(100_000);
  for (let i = 0; i < empties.length; i += 2) empties[i] = 10;
  assert.match(String(read('r', text, empties, wide)), /its text would be too long/);
  const absent = `syntax = "proto2"; message N { ${fields.replaceAll('int32', 'optional int32')} } message M { repeated N r = 1; }`;
  assert.match(String(read('r', text, empties, absent)), /its text would be too long/);
});
