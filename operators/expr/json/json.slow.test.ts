/** json and jsonb against PostgreSQL. */
import { after, before, test } from 'node:test';
import { type Arg, PostgresOracle } from '../../../test/postgres_oracle.ts';
import { Random, testSeed } from '../../testing/property.ts';

let oracle: PostgresOracle;
before(async () => {
  oracle = await PostgresOracle.start();
});
after(() => oracle.stop());

const random = new Random(testSeed());

const VALUES = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1',
  '1.50',
  '-1.5e3',
  '1e2',
  '1E-2',
  '12345678901234567890.123',
  '""',
  '"a"',
  '"abc\\n\\u00e9\\"\\\\/\\/"',
  '[]',
  '{}',
  '[1]',
  '[null]',
  '["a"]',
  '[1,2,3]',
  '[1, [2, [3]]]',
  '{"a":1}',
  '{"a": null}',
  '{"a":{"b":[1,{"c":2}]}}',
  '{"b":1,"a":2,"aa":0,"a":3}',
  '[{"a":1},{"a":2}]',
  '{"a":[1,2,3],"b":"x"}',
  '  [ 1 , 2 ]  ',
  '{"a b":"c d","é":1}',
  '[true,false,null,1.0,"x",{},[]]',
  '["a","b","c"]',
  '"\\ud83d\\ude00"',
  '[1.0,1,1.00]',
];
const BAD = [
  '',
  ' ',
  '{',
  '[',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '[1',
  '[1,',
  '[1,]',
  '[1 2]',
  '{"a" 1}',
  '{1:2}',
  '{"a":1 "b":2}',
  '"abc',
  '"a\\x"',
  '"\\u12"',
  '"\\u12g4"',
  'tru',
  'truee',
  'nul',
  '01',
  '1.',
  '.5',
  '1e',
  '-',
  '+1',
  '1a',
  '--1',
  '"\t"',
  '"a\nb"',
  '1 2',
  '{}}',
  '[]]',
  ']',
  '}',
  ',',
  ':',
  '{"a":}',
  '{,}',
  '[,]',
  '@',
  'NaN',
  "'a'",
  '"\\u0000"',
  '"\\ud83d"',
  '"\\ude00"',
  '"\\ud83d\\ud83d"',
  '"\\ud83da"',
  '{"\\u0000":1}',
  '1e400',
  '1e200000',
  '"\\',
  '"\\u',
  'é',
  '{"a":é}',
  '[true false]',
  '/* */ 1',
  '[1}',
  '{"a":1]',
];

test('input and output', async () => {
  for (const type of ['json', 'jsonb']) for (const text of [...VALUES, ...BAD]) await oracle.io(type, text);
  await oracle.report('io');
});

const arg =
  (type: string) =>
  (text: string | null): Arg => [type, text];

test('parts', async () => {
  const keys = ['a', 'b', '', '0', '1', '-1', 'é', 'a b', 'aa', '99999999999', ' 1', '1x'];
  const indexes = ['0', '1', '-1', '2', '-3', '100', '-100'];
  const paths = [
    '{}',
    '{a}',
    '{a,b}',
    '{a,b,1,c}',
    '{0}',
    '{-1}',
    '{0,a}',
    '{NULL}',
    '{a,NULL}',
    '{x}',
    '{1,1,0}',
    '{" 1"}',
    '{1x}',
  ];
  for (const type of ['json', 'jsonb']) {
    for (const v of VALUES) {
      const d: Arg = [type, v];
      for (const [suffix, result] of [
        ['', type],
        ['_text', 'text'],
      ] as const) {
        for (const k of keys)
          await oracle.call(`${type}_object_field${suffix}(${type},text)`, [d, ['text', k]], result);
        for (const i of indexes)
          await oracle.call(`${type}_array_element${suffix}(${type},int4)`, [d, ['int4', i]], result);
        for (const p of paths) {
          await oracle.call(
            `${type}_extract_path${suffix}(${type},_text)`,
            [d, ['_text', p]],
            result,
            `${type}_extract_path${suffix}('${v.replaceAll("'", "''")}'::${type}, VARIADIC '${p}'::text[])`,
          );
        }
        await oracle.set_(`${type}_array_elements${suffix}(${type})`, [d], [result]);
        await oracle.set_(`${type}_each${suffix}(${type})`, [d], ['text', result]);
      }
      await oracle.set_(`${type}_object_keys(${type})`, [d], ['text']);
      await oracle.call(`${type}_array_length(${type})`, [d], 'int4');
      await oracle.call(`${type}_typeof(${type})`, [d], 'text');
      await oracle.call(`${type}_strip_nulls(${type},bool)`, [d, ['bool', 'f']], type);
      await oracle.call(`${type}_strip_nulls(${type},bool)`, [d, ['bool', 't']], type);
      if (type === 'json') continue;
      await oracle.call('jsonb_pretty(jsonb)', [d], 'text');
      for (const t of ['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric'])
        await oracle.call(`${t}(jsonb)`, [d], t);
      for (const k of keys) {
        await oracle.call('jsonb_exists(jsonb,text)', [d, ['text', k]], 'bool');
        await oracle.call('jsonb_delete(jsonb,text)', [d, ['text', k]], 'jsonb');
      }
      for (const i of indexes) await oracle.call('jsonb_delete(jsonb,int4)', [d, ['int4', i]], 'jsonb');
      for (const p of [...paths, '{{a,b},{c,d}}']) {
        await oracle.call(
          'jsonb_delete(jsonb,_text)',
          [d, ['_text', p]],
          'jsonb',
          `'${v.replaceAll("'", "''")}'::jsonb - '${p}'::text[]`,
        );
        await oracle.call('jsonb_exists_any(jsonb,_text)', [d, ['_text', p]], 'bool');
        await oracle.call('jsonb_exists_all(jsonb,_text)', [d, ['_text', p]], 'bool');
        await oracle.call('jsonb_delete_path(jsonb,_text)', [d, ['_text', p]], 'jsonb');
        for (const b of ['t', 'f']) {
          for (const w of ['"new"', '{"n":1}', '[0]']) {
            await oracle.call(
              'jsonb_set(jsonb,_text,jsonb,bool)',
              [d, ['_text', p], ['jsonb', w], ['bool', b]],
              'jsonb',
            );
            await oracle.call(
              'jsonb_insert(jsonb,_text,jsonb,bool)',
              [d, ['_text', p], ['jsonb', w], ['bool', b]],
              'jsonb',
            );
          }
        }
      }
      for (const w of VALUES) {
        for (const f of ['eq', 'lt', 'ge']) await oracle.call(`jsonb_${f}(jsonb,jsonb)`, [d, ['jsonb', w]], 'bool');
        await oracle.call('jsonb_contains(jsonb,jsonb)', [d, ['jsonb', w]], 'bool');
        await oracle.call('jsonb_concat(jsonb,jsonb)', [d, ['jsonb', w]], 'jsonb');
      }
    }
  }
  await oracle.report('parts');
});

test('building', async () => {
  const values: Arg[] = [
    ['int4', '1'],
    ['int8', '9007199254740993'],
    ['float8', '1e30'],
    ['float8', 'NaN'],
    ['float8', '-0'],
    ['float4', '1.1'],
    ['numeric', '1.50'],
    ['numeric', 'NaN'],
    ['bool', 't'],
    ['text', 'a"b\n'],
    ['date', '2001-02-03'],
    ['date', 'infinity'],
    ['date', '0044-03-15 BC'],
    ['timestamp', '2001-02-03 04:05:06.7'],
    ['timestamptz', '2001-02-03 04:05:06+00'],
    ['timestamptz', '-infinity'],
    ['interval', '1 day'],
    ['uuid', '00000000-0000-0000-0000-000000000001'],
    ['json', '{"a" :  1}'],
    ['jsonb', '{"a" :  1}'],
    ['time', '01:02:03'],
    ['bytea', '\\x01ff'],
    ['_int4', '{1,2,NULL}'],
    ['_int4', '{{1,2},{3,4}}'],
    ['_text', '{a,"b c",NULL}'],
    ['_int4', '{}'],
    ['_jsonb', '{"{\\"a\\":1}","2"}'],
    ['_timestamp', '{2001-02-03 04:05}'],
    ['bpchar', 'ab  '],
  ];
  for (const zone of ['UTC', 'Asia/Kolkata']) {
    await oracle.set('timeZone', zone);
    await oracle.set('dateStyle', 'German, DMY');
    for (const v of values) {
      await oracle.call('to_json(anyelement)', [v], 'json');
      await oracle.call('to_jsonb(anyelement)', [v], 'jsonb');
      if (v[0].startsWith('_')) await oracle.call('array_to_json(anyarray)', [v], 'json');
      if (v[0].startsWith('_')) await oracle.call('array_to_json(anyarray,bool)', [v, ['bool', 't']], 'json');
      for (const w of values.slice(0, 16)) {
        for (const t of ['json', 'jsonb']) {
          await oracle.call(`${t}_build_object(any)`, [v, w], t);
          await oracle.call(`${t}_build_array(any)`, [v, w], t);
        }
      }
    }
    await oracle.call('json_build_object(any)', [['text', 'a']], 'json');
    await oracle.call('jsonb_build_object(any)', [['text', 'a']], 'jsonb');
  }
  await oracle.set('dateStyle', 'ISO, MDY');
  await oracle.set('timeZone', 'UTC');
  for (const t of ['json', 'jsonb']) {
    for (const a of [
      '{}',
      '{a,1,b,2}',
      '{a,1,b}',
      '{{a,1},{b,NULL}}',
      '{{a,1,2}}',
      '{NULL,1}',
      '{a,NULL}',
      '{{{a,b}}}',
      '{b,1,a,2,b,3}',
    ]) {
      await oracle.call(`${t}_object(_text)`, [['_text', a]], t);
      for (const b of ['{}', '{x,y}', '{x,NULL}', '{{a}}', '{1,2,3,4}'])
        await oracle.call(
          `${t}_object(_text,_text)`,
          [
            ['_text', a],
            ['_text', b],
          ],
          t,
        );
    }
  }
  await oracle.report('building');
});

test('random values', async () => {
  const make = (depth: number): string => {
    const kind = random.below(depth > 3 ? 5 : 7);
    if (kind === 0) return 'null';
    if (kind === 1) return random.pick(['true', 'false']);
    if (kind < 4) return random.pick(['0', '1', '-1', '1.0', '2e1', '0.10', '123456789012345678901234567890', '1e-3']);
    if (kind === 4) return JSON.stringify(random.pick(['', 'a', 'b', 'ab', 'é', 'z', '😀', 'A', '"']));
    const n = random.below(4);
    if (kind === 5) return `[${Array.from({ length: n }, () => make(depth + 1)).join(',')}]`;
    return `{${Array.from({ length: n }, () => `${JSON.stringify(random.pick(['a', 'b', 'ab', 'é', '', 'zz', 'Z']))}:${make(depth + 1)}`).join(', ')}}`;
  };
  const jsonb = arg('jsonb');
  for (let i = 0; i < 1500; i++) {
    const [a, b] = [make(0), make(0)];
    await oracle.io('jsonb', a);
    await oracle.call('jsonb_cmp(jsonb,jsonb)', [jsonb(a), jsonb(b)], 'int4', `sign(jsonb_cmp('${a}', '${b}'))::int`);
    await oracle.call('jsonb_contains(jsonb,jsonb)', [jsonb(a), jsonb(b)], 'bool');
    await oracle.call('jsonb_concat(jsonb,jsonb)', [jsonb(a), jsonb(b)], 'jsonb');
    await oracle.call(
      'json_strip_nulls(json,bool)',
      [
        ['json', a],
        ['bool', 'f'],
      ],
      'json',
    );
    await oracle.call('jsonb_pretty(jsonb)', [jsonb(a)], 'text');
  }
  await oracle.report('random');
});
