/** The order of jsonb, beside one of trees. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { colType, OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import { inputText } from '../io/index.ts';
import { compareText } from '../text/code_points.ts';
import { compareJsonb } from './compare.ts';

type Tree = null | boolean | string | number | Tree[] | { [key: string]: Tree };

const rankOf = (tree: Tree) => {
  if (tree === null) return 0;
  if (typeof tree === 'object') return Array.isArray(tree) ? 4 : 5;
  return ['string', 'number', 'boolean'].indexOf(typeof tree) + 1;
};
const ofAll = (orders: number[]) => orders.find((order) => order !== 0) ?? 0;

function orderOf(a: Tree, b: Tree): number {
  if (rankOf(a) !== rankOf(b)) return rankOf(a) - rankOf(b);
  if (typeof a === 'string') return compareText(a, b as string);
  if (Array.isArray(a)) {
    const other = b as Tree[];
    return a.length - other.length || ofAll(a.map((item, i) => orderOf(item, other[i])));
  }
  if (a === null || typeof a !== 'object') return Number(a) - Number(b);
  const entries = Object.entries(a);
  const others = Object.entries(b as object);
  const order = (i: number) => compareText(entries[i][0], others[i][0]) || orderOf(entries[i][1], others[i][1]);
  return entries.length - others.length || ofAll(entries.map((_, i) => order(i)));
}

function wholeOrderOf(a: Tree, b: Tree): number {
  if (Array.isArray(a) && (b === null || typeof b !== 'object')) return a.length === 0 ? -1 : 1;
  if (Array.isArray(b) && (a === null || typeof a !== 'object')) return b.length === 0 ? 1 : -1;
  return orderOf(a, b);
}

const SCALARS = ['null', 'true', 'false', '0', '0.0', '-1', '1', '1.0', '1.50', '1.5', '1e2', '""', '"a"', '"é"'];
const STRINGS = ['"\\u0001"', '"\\""', '"]"', '"a, b"', '"\\\\"', '"\\\\\\","', '"😀"', '"\ufb01"'];
/** As canonical texts have them: by length, then bytes. */
const KEYS = ['""', '"a"', '"b"', '","', '"a]"', '"é"'];

function randomJson(random: Random, depth: number): string {
  const some = <T>(from: T[]) => from[random.below(from.length)];
  if (depth === 0 || random.chance(0.3)) return some(random.chance(0.7) ? SCALARS : STRINGS);
  const parts = Array.from({ length: random.below(4) }, () => randomJson(random, depth - 1));
  if (random.chance(0.6)) return `[${parts.join()}]`;
  return `{${parts.map((part) => `${some(KEYS)}:${part}`).join()}}`;
}

/** Another scalar somewhere, so that much is equal. */
const changed = (random: Random, text: string) => {
  const places = [...text.matchAll(/(?<=[[:,])(?:null|true|1|0\.0|1\.50)(?=[\],}])/g)];
  const place = places[random.below(places.length || 1)];
  if (place === undefined) return text;
  return text.slice(0, place.index) + randomJson(random, 1) + text.slice(place.index + place[0].length);
};

test('texts are ordered as their trees', () => {
  const random = new Random(testSeed());
  const jsonb = (text: string) => inputText(text, colType(OID.jsonb), defaultContext()) as string;
  for (let i = 0; i < 20_000; i++) {
    const text = randomJson(random, 4);
    const a = jsonb(text);
    const b = jsonb(random.chance(0.5) ? changed(random, text) : randomJson(random, 4));
    const expected = Math.sign(wholeOrderOf(JSON.parse(a) as Tree, JSON.parse(b) as Tree));
    assert.equal(Math.sign(compareJsonb(a, b)), expected, `${a} beside ${b}`);
    assert.equal(Math.sign(compareJsonb(b, a)), 0 - expected, `${b} beside ${a}`);
  }
});

test('documents that are too large or deep to be read have an order', () => {
  const long = (last: string) => `[${'1, '.repeat(3_000_000)}${last}]`;
  assert(compareJsonb(long('1'), long('2')) < 0);
  assert.equal(compareJsonb(long('1'), long('1.0')), 0);
  const deep = (inner: string) => `${'['.repeat(5000)}${inner}${']'.repeat(5000)}`;
  assert(compareJsonb(deep('"b"'), deep('"a"')) > 0);
  assert(compareJsonb(deep('1, 1'), deep('2')) > 0);
});
