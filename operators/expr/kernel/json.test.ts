/** -> ->> #> #>> and ? of jsonb: kernels beside the interpreter, on random documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../batch/arena.ts';
import { batchFromRows, readRow } from '../../batch/builder.ts';
import { type Datum, pgArray } from '../../datum.ts';
import { MapOperator, type MapPath } from '../../map.ts';
import { Random, testSeed, times } from '../../testing/property.ts';
import { testTick } from '../../testing/tick.ts';
import { colType, OID } from '../../types.ts';
import '../functions/index.ts';
import type { Expr } from '../ir.ts';
import { jsonbText, parseJsonb } from '../json/value.ts';
import { interpretedParts } from './compile.ts';

const KEYS = [
  'a',
  'b',
  'key',
  '',
  'a"b',
  'back\\slash',
  'line\nfeed',
  'é',
  'a key of more than sixteen bytes',
  'nested',
];
const TEXTS = ['', 'x', 'null', 'a, "b": ]}', 'tab\t', 'back\\slash', '𝄞 and more than twelve bytes', '{"a": 1}'];

function json(random: Random, depth: number): unknown {
  const pick = random.below(depth > 0 ? 8 : 5);
  if (pick === 0) return null;
  if (pick === 1) return random.below(2) === 0;
  if (pick === 2) return random.pick([0, -1.5, 42, 1e20]);
  if (pick <= 4) return random.pick(TEXTS);
  const items = Array.from({ length: random.below(5) }, () => json(random, depth - 1));
  return pick === 5 ? items : Object.fromEntries(items.map((item) => [random.pick(KEYS), item]));
}

const types = [colType(OID.jsonb), colType(OID.int4)];
const document: Expr = { k: 'col', id: 0, t: types[0] };
const index: Expr = { k: 'col', id: 1, t: types[1] };

function part(kind: 'object_field' | 'array_element', of: Expr, by: Expr, text: boolean): Expr {
  const fn = `jsonb_${kind}${text ? '_text' : ''}(jsonb,${kind === 'object_field' ? 'text' : 'int4'})`;
  return { k: 'call', fn, args: [of, by], strict: true, t: colType(text ? OID.text : OID.jsonb) };
}

const key = (v: string): Expr => ({ k: 'const', v, t: colType(OID.text) });

function follow(path: string[], text: boolean): Expr {
  const by: Expr = { k: 'const', v: pgArray(OID.text, path), t: colType(OID._text) };
  const fn = `jsonb_extract_path${text ? '_text' : ''}(jsonb,_text)`;
  return { k: 'call', fn, args: [document, by], strict: true, t: colType(text ? OID.text : OID.jsonb) };
}

const PATHS = [['a'], ['nested', 'a'], ['nested', '1'], ['b', '0', 'key'], ['0'], ['1', '0', 'a'], ['b', '-1']];
PATHS.push(['nested', '01'], ['nested', 'nested', 'nested', 'nested']);

const items: Expr[] = [];
for (const name of KEYS)
  items.push({
    k: 'call',
    fn: 'jsonb_exists(jsonb,text)',
    args: [document, key(name)],
    strict: true,
    t: colType(OID.bool),
  });
for (const text of [false, true]) {
  for (const name of KEYS) items.push(part('object_field', document, key(name), text));
  items.push(part('object_field', part('object_field', document, key('nested'), false), key('a'), text));
  items.push(part('array_element', part('object_field', document, key('b'), false), index, text));
  items.push(part('array_element', document, index, text));
  for (const path of PATHS) items.push(follow(path, text));
}

function rowsBy(path: MapPath, rows: Datum[][]): Datum[][] {
  const arena = new Arena();
  const operator = new MapOperator(
    null,
    items,
    types,
    items.map((e) => e.t),
    path,
  );
  const out = operator.step([batchFromRows(types, rows, arena)], testTick(arena));
  const made = Array.from({ length: out.n }, (_, i) => readRow(out, i));
  operator.release();
  arena.release();
  return made;
}

test('parts of documents are those of the interpreter, and need none', () => {
  assert.deepEqual(
    interpretedParts(
      null,
      items,
      types,
      items.map((e) => e.t),
    ),
    [],
  );
  const random = new Random(testSeed());
  for (let round = 0; round < times(60); round++) {
    const rows = Array.from({ length: 40 }, () => [
      random.below(12) === 0 ? null : jsonbText(parseJsonb(JSON.stringify(json(random, 4)))),
      random.pick([null, 0, 1, 2, 3, -1]),
    ]);
    assert.deepEqual(rowsBy('JavaScript', rows), rowsBy('interpreter', rows));
  }
});
