/** to_number against PostgreSQL. */
import { after, before, test } from 'node:test';
import { PostgresOracle } from '../../../test/postgres_oracle.ts';
import { Random, testSeed } from '../../testing/property.ts';

let oracle: PostgresOracle;
before(async () => {
  oracle = await PostgresOracle.start();
});
after(() => oracle.stop());

const random = new Random(testSeed());

const TEMPLATES = [
  '99G999',
  '9,999',
  '99',
  '999.99',
  '999D99S',
  'S999',
  'MI999',
  '999MI',
  'SG999',
  '999SG',
  'PL99',
  '999PR',
  'FM999.999',
  '0999',
  'L9999',
  '99th',
  '9.9',
  '99V99',
  '"x"99',
  '$9,999.99',
  'S99.9',
  '999S',
  '9MI9',
  '',
  'foo',
  '9 9',
];
const TEXTS = [
  '-34,338,492',
  '12',
  '-12',
  '12-',
  '1,234',
  '1,234.56',
  '<12>',
  '+5',
  '$1,234.56',
  '1.5',
  ' 1',
  '  12',
  '.5',
  '5.',
  '',
  ' ',
  'abc',
  '12th',
  '1st',
  'x12',
  '-',
  '1-',
  '1 2',
  '12.345',
  '1234567',
  '-0.5',
  '5.01-',
  '1,2,3',
  'é12',
];

test('to_number', async () => {
  for (const template of TEMPLATES)
    for (const text of TEXTS)
      await oracle.call(
        'to_number(text,text)',
        [
          ['text', text],
          ['text', template],
        ],
        'numeric',
      );
  await oracle.report('to_number');
});

test('random texts and templates', async () => {
  for (let i = 0; i < 2000; i++) {
    const part = (items: string[], n: number) =>
      Array.from({ length: 1 + random.below(n) }, () => random.pick(items)).join('');
    const template = part(['9', '9', '9', '0', '.', ',', 'S', 'MI', 'PL', 'FM', ' ', 'x', 'G', 'D', 'L', 'SG'], 7);
    const text = part(['1', '2', '3', '0', '.', ',', '-', '+', ' ', 'x', '$'], 7);
    await oracle.call(
      'to_number(text,text)',
      [
        ['text', text],
        ['text', template],
      ],
      'numeric',
    );
  }
  await oracle.report('random');
});
