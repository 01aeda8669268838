/** Where rows read ahead: what the words say of texts that lie close together or not, and that rows are what the interpreter makes of them wherever their texts lie. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../batch/arena.ts';
import type { Batch } from '../../../batch/batch.ts';
import { BatchBuilder, readRow } from '../../../batch/builder.ts';
import { U32 } from '../../../batch/memory.ts';
import type { Datum } from '../../../datum.ts';
import { MapOperator, type MapPath } from '../../../map.ts';
import { Random, testSeed, times } from '../../../testing/property.ts';
import { testTick } from '../../../testing/tick.ts';
import { colType, OID } from '../../../types.ts';
import '../../functions/index.ts';
import type { Expr } from '../../ir.ts';
import { AHEAD, readAhead } from './read_ahead.ts';

const generator = new Random(testSeed());
const text = colType(OID.text);
const int4 = colType(OID.int4);
/** What is written between two texts. */
const GAPS = { none: 0, message: 200, far: 3000 };

/** Two columns of texts, one behind the other with so many bytes between two rows; backwards in reverse order of the rows. */
function batchOf(rows: Datum[][], gap: number, backwards: boolean, arena: Arena): Batch {
  const builder = new BatchBuilder([text, text], arena, rows.length);
  builder.addRows(rows.length, 1);
  for (let i = 0; i < rows.length; i++) {
    const row = backwards ? rows.length - 1 - i : i;
    for (const [c, value] of rows[row].entries()) builder.setDatum(c, row, value);
    arena.alloc(gap);
  }
  return builder.build();
}

const long = (n: number) => `https://example.org/${n}/${'part'.repeat(generator.below(12))}/x/`;

test('the words of texts that are close, far apart, backwards, short', () => {
  const arena = new Arena();
  const words = arena.alloc(16);
  const word = (which: number) => U32[(words >>> 2) + which];
  const rows = Array.from({ length: 500 }, (_, i): Datum[] => [long(i), 'short']);
  const slots = ({ columns }: Batch) => columns.map(({ data }) => data);
  const pointer = (slot: number) => U32[(slot >>> 2) + 2];

  const close = batchOf(rows, GAPS.message, false, arena);
  assert.equal(readAhead(words, slots(close), close.n), true);
  const [first, last] = [close.columns[0].data, close.columns[0].data + (close.n - 1) * 16];
  const end = pointer(last) + U32[last >>> 2];
  assert.equal(word(AHEAD.next), pointer(first));
  assert.equal(word(AHEAD.end), end);
  assert.ok(word(AHEAD.until) > pointer(first) && word(AHEAD.until) < end);
  assert.equal(word(AHEAD.step), Math.ceil((end - pointer(first)) / close.n));

  const nothing = [batchOf(rows, GAPS.far, false, arena), batchOf(rows, GAPS.message, true, arena)];
  nothing.push(batchOf([['a', 'b']], 0, false, arena), batchOf([], 0, false, arena));
  for (const batch of nothing) {
    assert.equal(readAhead(words, slots(batch), batch.n), false);
    for (const which of Object.values(AHEAD)) assert.equal(word(which), 0);
  }
  arena.release();
});

function run(path: MapPath, project: Expr[], input: Batch): string[] {
  const types = project.map(({ t }) => t);
  const operator = new MapOperator(null, project, [text, text], types, path);
  const arena = new Arena();
  const result = operator.step([input], testTick(arena));
  const made = Array.from({ length: result.n }, (_, i) => JSON.stringify(readRow(result, i)));
  operator.release();
  arena.release();
  return made;
}

test('rows are the same wherever their texts lie, rows that are left to the interpreter among them', () => {
  const column = (id: number): Expr => ({ k: 'col', id, t: text });
  const call = (fn: string, ...args: Expr[]): Expr => ({ k: 'call', fn, args, t: text, strict: true });
  const constant = (v: Datum, t = text): Expr => ({ k: 'const', v, t });
  const part = (n: number) => call('split_part(text,text,int4)', column(0), constant('/'), constant(n, int4));
  const project = [part(3), part(5), call('lower(text)', column(1)), column(1)];
  for (let round = 0; round < times(30); round++) {
    const odd = generator.below(3) * 20;
    const nulls = generator.below(2) * 10;
    const value = (make: () => string): Datum => (nulls > 0 && generator.below(nulls) === 0 ? null : make());
    const rows = Array.from({ length: generator.below(3000) }, (_, i): Datum[] => [
      value(() => (generator.below(9) === 0 ? '' : long(i))),
      // lower() of what is not ASCII is the interpreter's.
      value(() => (odd > 0 && generator.below(odd) === 0 ? 'Ärger' : `Text ${long(i)}`.slice(0, generator.below(40)))),
    ]);
    const arena = new Arena();
    const gap = generator.pick(Object.values(GAPS));
    const batch = batchOf(rows, gap, generator.below(3) === 0, arena);
    assert.deepEqual(run('WebAssembly', project, batch), run('interpreter', project, batch), `gap ${gap}`);
    arena.release();
  }
});
