/** Groups of matches by the search kernel against the interpreter, for random expressions around a literal, over texts in which it often stands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow } from '../../batch/builder.ts';
import type { Datum } from '../../datum.ts';
import { Random, testSeed, times } from '../../testing/property.ts';
import { colType, OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import '../functions/index.ts';
import { evaluate } from '../interpret.ts';
import type { Expr } from '../ir.ts';
import { literalSteps } from '../regex/one_pass.ts';
import { compileRegex, defaultOptions } from '../regex/regex.ts';
import { compileMap } from './compile.ts';
import { SIMPLE_PARTS } from './test_patterns.ts';

const random = new Random(testSeed());

function pattern(): string {
  const some = () => Array.from({ length: random.below(4) }, () => random.pick(SIMPLE_PARTS)).join('');
  return `${some()}${random.pick(['id=', 'xy', 'x'])}${some()}`;
}

const TEXT = colType(OID.text);

function groups(source: string): Expr[] {
  const match: Expr = {
    k: 'call',
    fn: 'regexp_match(text,text)',
    args: [
      { k: 'col', id: 0, t: TEXT },
      { k: 'const', v: source, t: TEXT },
    ],
    t: colType(OID._text),
    strict: true,
  };
  return [1, 2, 3].map((n) => {
    const lower: Expr = { k: 'const', v: n, t: colType(OID.int4) };
    return { k: 'subscript', arg: match, indexes: [{ lower, upper: null, slice: false }], t: TEXT };
  });
}

test('groups of matches are those of the interpreter', () => {
  let matched = 0;
  let onePass = 0;
  let stepped = 0;
  for (let round = 0; round < times(120); round++) {
    const source = pattern();
    const matcher = compileRegex(source, defaultOptions(false)).ascii;
    if (matcher?.onePass) {
      onePass++;
      const literal = matcher.literal?.text ?? '';
      if (literal.length > 1 && literalSteps(matcher.onePass, literal, matcher.classes.ofByte).some((step) => step))
        stepped++;
    }
    const items = groups(source);
    const rows: Datum[][] = Array.from({ length: 40 }, () => [
      random.below(20) === 0
        ? null
        : Array.from({ length: random.below(12) }, () => random.pick(['x', 'y', '&', 'id=', 'xy', 'ü'])).join(''),
    ]);
    const arena = new Arena();
    const types = items.map(() => TEXT);
    const out = new BatchBuilder(types, arena);
    const context = defaultContext();
    const wanted = rows.map((row) => items.map((item) => evaluate(item, row, context)));
    const kernel = compileMap(null, items, [TEXT], types);
    const made = kernel(batchFromRows([TEXT], rows, arena), out, context, (i) => out.pushDatums(wanted[i], 1));
    rows.forEach((row, i) => {
      assert.deepEqual(readRow(made, i), wanted[i], `${source} in ${JSON.stringify(row[0])}`);
      if (wanted[i].some((group) => group !== null)) matched++;
    });
    kernel.release();
    arena.release();
  }
  assert.ok(
    matched > times(40) && onePass > times(8) && stepped > times(2),
    `${matched} rows matched, ${onePass} expressions are one pass, ${stepped} step over their literal`,
  );
});

test('a literal that stands everywhere costs no more than the text is long', () => {
  const source = 'x[^&]*(&y)';
  const items = groups(source);
  const text = 'x'.repeat(20_000);
  const arena = new Arena();
  for (const row of [[text], [`${text}&y`]]) {
    const out = new BatchBuilder([TEXT, TEXT, TEXT], arena);
    const kernel = compileMap(null, items, [TEXT], out.types);
    const made = kernel(batchFromRows([TEXT], [row], arena), out, defaultContext(), () => assert.fail('no odd row'));
    assert.equal(readRow(made, 0)[0], row[0] === text ? null : '&y');
    kernel.release();
  }
  arena.release();
});
