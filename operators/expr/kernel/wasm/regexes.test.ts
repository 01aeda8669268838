/** Searches written as code of a kernel against the interpreter: random expressions, most of one pass, over texts in which their literal often stands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow } from '../../../batch/builder.ts';
import type { Datum } from '../../../datum.ts';
import { Random, testSeed, times } from '../../../testing/property.ts';
import { colType, OID } from '../../../types.ts';
import { defaultContext } from '../../context.ts';
import '../../functions/index.ts';
import { evaluate } from '../../interpret.ts';
import type { Expr } from '../../ir.ts';
import { onePassRegex } from '../regexes.ts';
import { SIMPLE_PARTS } from '../test_patterns.ts';
import { compileWasmMap } from './compile.ts';
import { emitLoops, releaseLoops } from './row_loop.ts';

const generator = new Random(testSeed());
const random = (n: number): number => generator.below(n);
const pick = <T>(list: readonly T[]): T => generator.pick(list);

const PARTS = [
  ...SIMPLE_PARTS,
  '(?:xy)*',
  '(?:x(?:y&)*=)*',
  '(\\w+)',
  '(\\d*)',
  '[xyz0-9a-f&=]*',
  '[acegikmoqsuwy0246]*',
  '\\W',
];
const LITERALS = ['id=', 'xy', 'x', 'xyxyx', '&id=0123456789abcdef', 'a literal of more than 32 bytes, which is long'];
const PIECES = ['x', 'y', '&', 'id=', 'ID=', 'xy', 'X', '0', 'z', ' ', 'a', ...LITERALS];

function pattern(): string {
  const some = (most: number) => Array.from({ length: random(most) }, () => pick(PARTS)).join('');
  if (random(4) === 0) return `^${some(5)}`;
  return `${some(3)}${pick(LITERALS)}${some(5)}`;
}

function subject(): Datum {
  if (random(20) === 0) return null;
  const pieces = random(8) === 0 ? [...PIECES, 'ü', '€', '𝄞'] : PIECES;
  return Array.from({ length: random(random(6) === 0 ? 40 : 10) }, () => pick(pieces)).join('');
}

const TEXT = colType(OID.text);
const COLUMN: Expr = { k: 'col', id: 0, t: TEXT };

function call(fn: string, oid: number, source: string): Expr {
  return { k: 'call', fn, args: [COLUMN, { k: 'const', v: source, t: TEXT }], t: colType(oid), strict: true };
}

function group(source: string, n: number): Expr {
  const lower: Expr = { k: 'const', v: n, t: colType(OID.int4) };
  const arg = call('regexp_match(text,text)', OID._text, source);
  return { k: 'subscript', arg, indexes: [{ lower, upper: null, slice: false }], t: TEXT };
}

const TESTS = ['textregexeq', 'textregexne', 'texticregexeq', 'texticregexne'].map((name) => `${name}(text,text)`);

function questions(source: string): Expr[] {
  const groups = onePassRegex(source, false)?.groups ?? 0;
  return Array.from({ length: 1 + random(3) }, () => {
    switch (random(4)) {
      case 0:
        return call(pick(TESTS), OID.bool, source);
      case 1:
        return call('substring(text,text)', OID.text, source);
      default:
        return group(source, 1 + random(Math.max(groups, 1)));
    }
  });
}

interface Counted {
  rows: number;
  matched: number;
  left: number;
}

/** Compares what the kernel puts out with the interpreter; null where there is no kernel. */
function compare(items: Expr[], rows: Datum[][]): Counted | null {
  const types = items.map((item) => item.t);
  const kernel = compileWasmMap(null, items, [TEXT], types);
  if (kernel === null) return null;
  const arena = new Arena();
  const context = defaultContext();
  const out = new BatchBuilder(types, arena);
  const wanted = rows.map((row) => items.map((item) => evaluate(item, row, context)));
  const counted = { rows: rows.length, matched: 0, left: 0 };
  const made = kernel(batchFromRows([TEXT], rows, arena), out, context, (i) => {
    counted.left++;
    out.pushDatums(wanted[i], 1);
  });
  rows.forEach((row, i) => {
    assert.deepEqual(readRow(made, i), wanted[i], `${JSON.stringify(items)} of ${JSON.stringify(row[0])}`);
    if (wanted[i].some((value) => value !== null && value !== false)) counted.matched++;
  });
  kernel.release();
  arena.release();
  return counted;
}

test('matches are those of the interpreter', () => {
  const all = { kernels: 0, rows: 0, matched: 0, left: 0 };
  for (let round = 0; round < times(300); round++) {
    const source = pattern();
    const rows = Array.from({ length: 40 }, () => [subject()]);
    const counted = compare(questions(source), rows);
    if (counted === null) continue;
    all.kernels++;
    all.rows += counted.rows;
    all.matched += counted.matched;
    all.left += counted.left;
  }
  const shown = JSON.stringify(all);
  assert.ok(all.kernels > times(60) && all.matched > all.rows / 20 && all.left < all.rows / 5, shown);
});

test('characters beyond ASCII matter only where a match may be', () => {
  const items = [group('(&|^)id=([^&]*)', 2)];
  const cases: [text: string, left: boolean][] = [
    ['ü', false],
    ['', false],
    ['ü&id=5&ü', false],
    ['id=', false],
    ['id=ü', true],
    ['€id=5', true],
    ['€x12id=5', false],
    ['x€€id=5', true],
    ['xüyid=5', false],
    ['&id=0123456789abcdef€', true],
    ['&id=0123456789abcdef&€', false],
  ];
  for (const [text, left] of cases) {
    const counted = compare(items, [[text]]);
    assert.deepEqual(counted?.left, left ? 1 : 0, text);
  }
});

test('a place beside which there is a character beyond ASCII may lie further before', () => {
  for (const source of ['[ab].id=', '[ab]..id=', '[ab].{1,2}id=', '(a|ab)?.{0,3}id=', '[ab]...{12}id='])
    for (let round = 0; round < times(40); round++) {
      const text = Array.from({ length: random(20) }, () => pick(['a', 'b', 'x', 'x', 'ü', '€', 'id='])).join('');
      compare([call('substring(text,text)', OID.text, source)], [[`${text}id=`]]);
    }
});

test('a search in any case is not that for a pattern of these words', () => {
  const items = [
    call('texticregexeq(text,text)', OID.bool, '^(id=)'),
    call('textregexeq(text,text)', OID.bool, 'any case of ^(id=)'),
  ];
  assert.deepEqual(compare(items, [['ID='], ['x']]), { rows: 2, matched: 1, left: 0 });
});

test('where many places are tried in vain the row is left', () => {
  const counted = compare([group('x[^&]*(&y)', 1)], [['x'.repeat(20_000)], ['x&y'], ['x'.repeat(20_000).concat('&y')]]);
  assert.deepEqual(counted, { rows: 3, matched: 2, left: 1 });
});

test('what would be too much code is searched by the function of the kernels', () => {
  const small = [group('id=([^&]*)', 1)];
  const long = [group(`id=(${'[a-z]'.repeat(150)})([^&]*)`, 1)];
  const several = Array.from({ length: 60 }, (_, i) => group(`id${i}=([^&]*)(&|$)`, 1));
  for (const [items, calls] of [
    [small, false],
    [long, true],
    [several, true],
  ] as const) {
    const loops = emitLoops(
      null,
      items,
      [TEXT],
      items.map(() => TEXT),
      true,
    );
    assert.ok(loops !== null);
    assert.equal(loops.run.imports.count > 0, calls);
    releaseLoops(loops);
    compare(items, [['id=0'], [`id=${'abc'.repeat(60)}`], ['id7=1&id8=2&id59=3'], [null]]);
  }
});
