/** What the console computes: places of boxes, plans, rows that are followed, texts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Random, testSeed } from '../../../operators/testing/property.ts';

const load = (name: string) => import(new URL(`./${name}`, import.meta.url).href);
const { BOX, layered } = await load('layout.mjs');
const { millisecondsOf, planOf } = await load('plan.mjs');
const { direct } = await load('relations.mjs');
const { LiveRows } = await load('rows.mjs');
const { bytes, count, describedError, literal, quoted, tickRate } = await load('format.mjs');

test('layout: what reads stands behind what is read, boxes do not overlap', () => {
  const numbers = new Random(testSeed());
  const random = (n: number) => numbers.below(n);
  for (let round = 0; round < 50; round++) {
    const nodes = Array.from({ length: 1 + random(30) }, (_, id) => ({ id: `n${id}` }));
    const edges = Array.from({ length: random(60) }, () => [random(nodes.length), random(nodes.length)])
      .filter(([a, b]) => a < b)
      .map(([a, b]) => ({ from: `n${a}`, to: `n${b}` }));
    const { boxes, width, height } = layered(nodes, edges);
    assert.equal(boxes.size, nodes.length);
    for (const { from, to } of edges) assert.ok(boxes.get(from).x + BOX.width < boxes.get(to).x, `${from} ${to}`);
    const all = [...boxes.values()];
    all.forEach((a, i) => {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + BOX.width <= width && a.y + BOX.height <= height);
      for (const b of all.slice(i + 1)) assert.ok(a.x !== b.x || Math.abs(a.y - b.y) >= BOX.height);
    });
  }
});

test('layout: nothing, lines to nowhere, a circle', () => {
  assert.deepEqual(layered([], []), { boxes: new Map(), width: 0, height: 0 });
  const nodes = [{ id: 'a' }, { id: 'b' }];
  const edges = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
    { from: 'a', to: 'a' },
    { from: 'x', to: 'a' },
  ];
  assert.equal(layered(nodes, edges).boxes.size, 2);
});

test('graph: a line goes to a plain view, not past it', () => {
  const nodes = [
    { id: 't', kind: 'table' },
    { id: 'p', kind: 'plain view' },
    { id: 'v', kind: 'view' },
    { id: 'w', kind: 'view' },
  ];
  const line = (from: string, to: string) => ({ from, to });
  const kept = [line('t', 'p'), line('p', 'v'), line('t', 'w'), line('v', 'w')];
  assert.deepEqual(direct(nodes, [...kept, line('t', 'v')]), kept);
});

const source = { 'Node Type': 'Source', Description: 'Source t' };
const figures = (Operator: string, more = {}) => ({ Operator, 'rows in': 10, 'rows out': 5, ...more });

test('plans: lines have the figures of their operators where the orders are one', () => {
  const Plan = {
    'Node Type': 'Result',
    Description: 'Result',
    Plans: [{ 'Node Type': 'Filter', Description: 'Filter', Notes: ['n'], Plans: [source] }],
  };
  const Operators = [
    figures('0 source'),
    figures('1 map', { 'ns per row': 200 }),
    { Operator: 'rows', 'state rows': 5 },
  ];
  const { root, paired } = planOf([{ Plan, Operators }]);
  assert.equal(paired, true);
  assert.equal(root.figures['state rows'], 5);
  assert.equal(root.inputs[0].figures.Operator, '1 map');
  assert.equal(root.inputs[0].inputs[0].figures.Operator, '0 source');
  assert.equal(millisecondsOf(root.inputs[0].figures), 0.002);
  assert.equal(millisecondsOf(figures('0 source')), null);
  assert.equal(millisecondsOf(null), null);
  const shared = planOf([{ Plan, Operators: [Operators[1], Operators[0], Operators[2]] }]);
  assert.equal(shared.paired, false);
  assert.equal(shared.root.inputs[0].figures, null);
  assert.equal(planOf([{ Plan: source }]).paired, true);
});

test('rows that are followed are a multiset', () => {
  const rows = new LiveRows();
  const one = [1, 'a'];
  rows.take({
    tick: '1',
    snapshot: true,
    changes: [
      [2, one],
      [1, [null]],
    ],
  });
  assert.deepEqual(rows.shown(), [one, one, [null]]);
  rows.take({
    tick: '2',
    changes: [
      [-2, one],
      [1, ['b']],
    ],
  });
  assert.deepEqual(rows.shown(), [[null], ['b']]);
  assert.equal(rows.tick, '2');
  assert.equal(rows.shown(1).length, 1);
  rows.take({ tick: '3', snapshot: true, changes: [] });
  assert.equal(rows.size, 0);
});

test('figures, names and errors as texts', () => {
  assert.equal(bytes('1536'), '1.5 KiB');
  assert.equal(bytes(null), null);
  assert.equal(count('1234567'), '1\u2009234\u2009567');
  assert.equal(count(null), null);
  assert.equal(tickRate(null, { tick: '1', at: 0 }), null);
  assert.equal(tickRate({ tick: '9007199254740993', at: 0 }, { tick: '9007199254740997', at: 2000 }), 2);
  assert.equal(tickRate({ tick: '5', at: 0 }, { tick: '1', at: 10 }), null);
  assert.equal(quoted('s', 'a"b'), '"s"."a""b"');
  assert.equal(literal("a'b"), "'a''b'");
  assert.equal(literal("a\\'b"), "E'a\\\\''b'");
  assert.equal(
    describedError({ sqlstate: '42601', message: 'm', hint: 'h', position: 3 }),
    '42601: m\nHint: h\nAt character 3.',
  );
  assert.equal(describedError(new Error('no network')), 'no network');
});

test('no file writes markup from data, or loads anything from elsewhere', () => {
  const folder = new URL('./', import.meta.url);
  for (const name of readdirSync(folder).filter((file) => !file.endsWith('.test.ts'))) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    assert.doesNotMatch(
      text,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/,
      name,
    );
    assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|(?:src|href)="\/\//, name);
    if (name.endsWith('.html')) assert.doesNotMatch(text, / on[a-z]+=| style=|<style|<script(?![^>]* src=)/, name);
  }
});
