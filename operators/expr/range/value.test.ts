/** Ranges and multiranges of integers against the sets of integers that they are, and what their bytes are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeComposite } from '../../batch/composite.ts';
import type { PgMultirange, PgRange } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { Random, testSeed, times } from '../../testing/property.ts';
import { OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import { resolveCall } from '../functions/index.ts';
import { inputText, outputText } from '../io/index.ts';
import { typeOfRange } from '../range_types.ts';
import { compareMultiranges, makeMultirange } from './multirange.ts';
import { compareRanges, makeRange } from './value.ts';

const seed = testSeed();
const source = new Random(seed);
const random = (n: number) => source.below(n);

/** Integers that sets are of; ranges without a bound go beyond. */
const [FIRST, LAST] = [-2, 14];
const ctx = defaultContext();

function randomRange(): PgRange {
  const [a, b] = [random(10), random(10)];
  const bound = (value: number, lower: boolean) => ({
    value: random(8) === 0 ? null : value,
    inclusive: random(2) === 0,
    lower,
  });
  return makeRange(OID.int4, bound(Math.min(a, b), true), bound(Math.max(a, b), false));
}

function randomMultirange(): PgMultirange {
  return makeMultirange(OID.int4, Array.from({ length: random(4) }, randomRange));
}

const randomValue = () => (random(2) === 0 ? randomRange() : randomMultirange());

function call(fn: string, ...args: (PgRange | PgMultirange | number)[]): unknown {
  return resolveCall(fn, {
    argTypes: args.map(() => ({ oid: 0, typmod: -1 })),
    resultType: { oid: 0, typmod: -1 },
    variadic: false,
  })(args, ctx);
}

/** The integers that `@>` says are in it. */
function setOf(value: PgRange | PgMultirange): string {
  const fn =
    value.k === 'range'
      ? 'range_contains_elem(anyrange,anyelement)'
      : 'multirange_contains_elem(anymultirange,anyelement)';
  let text = '';
  for (let i = FIRST; i <= LAST; i++) text += call(fn, value, i) === true ? '1' : '0';
  return text;
}

const both = (a: string, b: string, of: (x: boolean, y: boolean) => boolean) =>
  [...a].map((x, i) => (of(x === '1', b[i] === '1') ? '1' : '0')).join('');

test('operators are those of sets', () => {
  for (let round = 0; round < times(3000); round++) {
    const [a, b] = [randomMultirange(), randomMultirange()];
    const [x, y] = [setOf(a), setOf(b)];
    const names = (word: string) => `multirange_${word}(anymultirange,anymultirange)`;
    const about = `${outputText(a, OID.int4multirange, ctx)} ${outputText(b, OID.int4multirange, ctx)}, seed ${seed}`;
    const result = (word: string) => setOf(call(names(word), a, b) as PgMultirange);
    assert.equal(
      result('union'),
      both(x, y, (p, q) => p || q),
      about,
    );
    assert.equal(
      result('intersect'),
      both(x, y, (p, q) => p && q),
      about,
    );
    assert.equal(
      result('minus'),
      both(x, y, (p, q) => p && !q),
      about,
    );
    assert.equal(
      call('multirange_overlaps_multirange(anymultirange,anymultirange)', a, b),
      both(x, y, (p, q) => p && q).includes('1'),
      about,
    );
    assert.equal(
      call('multirange_contains_multirange(anymultirange,anymultirange)', a, b),
      !both(x, y, (p, q) => q && !p).includes('1'),
      about,
    );
    assert.equal(compareMultiranges(a, b) === 0, x === y, about);
    assert.equal(Buffer.compare(encodeComposite(a), Buffer.from(encodeComposite(b))) === 0, x === y, about);
  }
});

test('a union or difference of two ranges is one range, or an error', () => {
  for (let round = 0; round < times(3000); round++) {
    const [a, b] = [randomRange(), randomRange()];
    const [x, y] = [setOf(a), setOf(b)];
    for (const [fn, of] of [
      ['range_union', (p: boolean, q: boolean) => p || q],
      ['range_minus', (p: boolean, q: boolean) => p && !q],
    ] as const) {
      const wanted = both(x, y, of);
      const parts = wanted.split(/0+/).filter((part) => part !== '').length;
      try {
        assert.equal(setOf(call(`${fn}(anyrange,anyrange)`, a, b) as PgRange), wanted);
        assert.ok(parts <= 1);
      } catch (e) {
        if (!(e instanceof SqlError)) throw e;
        assert.equal(e.sqlstate, '22000');
        assert.ok(parts > 1, `${JSON.stringify([a, b])}, seed ${seed}`);
      }
    }
    assert.equal(compareRanges(a, b) === 0, x === y);
  }
});

test('text and bytes give the value again', () => {
  for (let round = 0; round < times(1000); round++) {
    const value = randomValue();
    const type = { oid: typeOfRange(value), typmod: -1 };
    assert.deepEqual(inputText(outputText(value, type.oid, ctx), type, ctx), value);
  }
});

test('an int4range and a daterange lie in 12 bytes', () => {
  for (const [text, oid] of [
    ['[1,2147483647)', OID.int4range],
    ['[-infinity,infinity]', OID.daterange],
  ] as const)
    assert.equal(encodeComposite(inputText(text, { oid, typmod: -1 }, ctx)).length, 12);
});
