/** Arrays, int2vector, oidvector and uuid against PostgreSQL. */
import { after, before, test } from 'node:test';
import { type Arg, PostgresOracle } from '../../../test/postgres_oracle.ts';
import { Random, testSeed } from '../../testing/property.ts';

let oracle: PostgresOracle;
before(async () => {
  oracle = await PostgresOracle.start();
});
after(() => oracle.stop());

const random = new Random(testSeed());

const INTS = [
  '{}',
  '{1}',
  '{1,2,3}',
  '{3,2,1}',
  '{1,NULL,2}',
  '{NULL}',
  '{{1,2},{3,4}}',
  '{{1},{2},{3}}',
  '[0:2]={1,2,3}',
  '[-2:-1]={5,6}',
  '[2:3][0:1]={{1,2},{3,4}}',
  '{{{1}}}',
  '{2,2,1,2}',
  '{1,2}',
  '{{1,2}}',
  '{{1,2,3}}',
];
const BAD = [
  '',
  '{',
  '}',
  '{1',
  '{1,',
  '{1,}',
  '{,1}',
  '{1 2}',
  '{{1},2}',
  '{1,{2}}',
  '{{1},{2,3}}',
  '{{1},{}}',
  '{{},{}}',
  '{{}}',
  '{1}}',
  '{1} x',
  'x',
  '1',
  '[1]={1,2}',
  '[1:2]={1}',
  '[1:2]{1,2}',
  '[1:2]=',
  '[1:2]= {1,2}',
  '[2:1]={}',
  '[1:0]={}',
  '[]={}',
  '[a]={1}',
  '[1:]={1}',
  '[1:2147483647]={1}',
  '[1:2',
  '{"a}',
  '{"a"b}',
  '{a"b"}',
  '{"1" ,2}',
  '{"1"2}',
  '{\\1}',
  '{1\\',
  '{"1\\',
  '{{{{{{{1}}}}}}}',
  '{a}',
  '{NULL,null,Null}',
  '{ 1 , 2 }',
  ' {1} ',
  '[1:1]  [1:2]={{1,2}}',
  '{1;2}',
  '{{1,2},{3}}',
  '{[1]}',
  '{1}{2}',
  '[99999999999]={1}',
];

test('input and output', async () => {
  for (const text of [...INTS, ...BAD]) {
    await oracle.io('_int4', text);
    await oracle.io('_text', text);
  }
  for (const text of [
    '{a,"b c","d\\"e","f\\\\g",NULL,"NULL","",",","{","é"," x "}',
    '{"  "}',
    '{"a\\b"}',
    '{a\\ b}',
    '{ a b , c }',
    '{"\n"}',
    '{\t}',
  ])
    await oracle.io('_text', text);
  await oracle.io('_bool', '{t,f,NULL}');
  await oracle.io('_timestamp', '{2001-02-03 04:05,infinity}');
  await oracle.io('_timestamptz', '{"2001-02-03 04:05+02"}');
  await oracle.io('_numeric', '{1.50,NaN,-1e3}');
  await oracle.io('_numeric', '{1.555,2}', { typeSql: 'numeric(5,2)[]', typmod: (5 << 16) + 2 + 4 });
  await oracle.io('_varchar', '{abcdef}', { typeSql: 'varchar(8)[]', typmod: 12 });
  await oracle.io('_jsonb', '{"{\\"b\\":1, \\"a\\":2}"}');
  await oracle.io('_uuid', '{00000000-0000-0000-0000-00000000000A}');
  await oracle.io('_bytea', '{"\\\\x01ff"}');
  await oracle.io('_interval', '{1 day,"2 mons 3:04"}');
  await oracle.io('_float8', '{1.5,-0,Infinity}');
  for (const text of ['1 2 3', '', ' 1  2 ', '-1']) await oracle.io('int2vector', text);
  for (const text of ['1 2 3', '', '4294967295', '1 x']) await oracle.io('oidvector', text);
  await oracle.report('io');
});

test('functions', async () => {
  const arrays = INTS.map((t): Arg => ['_int4', t]);
  const n = (x: number | null): Arg => ['int4', x === null ? null : String(x)];
  for (const a of arrays) {
    for (const f of ['array_ndims', 'cardinality']) await oracle.call(`${f}(anyarray)`, [a], 'int4');
    await oracle.call('array_dims(anyarray)', [a], 'text');
    for (const f of ['array_reverse', 'array_sort']) await oracle.call(`${f}(anyarray)`, [a], '_int4');
    for (const [d, f] of [
      ['t', 'f'],
      ['t', 't'],
      ['f', 't'],
    ])
      await oracle.call('array_sort(anyarray,bool,bool)', [a, ['bool', d], ['bool', f]], '_int4');
    for (const d of [-1, 0, 1, 2, 3]) {
      for (const f of ['array_length', 'array_lower', 'array_upper'])
        await oracle.call(`${f}(anyarray,int4)`, [a, n(d)], 'int4');
      await oracle.call('trim_array(anyarray,int4)', [a, n(d)], '_int4');
      await oracle.set_('generate_subscripts(anyarray,int4)', [a, n(d)], ['int4']);
      await oracle.set_('generate_subscripts(anyarray,int4,bool)', [a, n(d), ['bool', 't']], ['int4']);
    }
    await oracle.set_('unnest(anyarray)', [a], ['int4']);
    await oracle.call('array_to_string(anyarray,text)', [a, ['text', ', ']], 'text');
    await oracle.call('array_to_string(anyarray,text,text)', [a, ['text', ','], ['text', '*']], 'text');
    for (const x of [1, 2, 7, null]) {
      await oracle.call('array_append(anycompatiblearray,anycompatible)', [a, n(x)], '_int4');
      await oracle.call('array_prepend(anycompatible,anycompatiblearray)', [n(x), a], '_int4');
      await oracle.call('array_position(anycompatiblearray,anycompatible)', [a, n(x)], 'int4');
      for (const s of [-5, 0, 1, 2, null])
        await oracle.call('array_position(anycompatiblearray,anycompatible,int4)', [a, n(x), n(s)], 'int4');
      await oracle.call('array_positions(anycompatiblearray,anycompatible)', [a, n(x)], '_int4');
      await oracle.call('array_remove(anycompatiblearray,anycompatible)', [a, n(x)], '_int4');
      await oracle.call('array_replace(anycompatiblearray,anycompatible,anycompatible)', [a, n(x), n(9)], '_int4');
      await oracle.call('width_bucket(anycompatible,anycompatiblearray)', [n(x ?? 5), a], 'int4');
      await oracle.call('array_fill(anyelement,_int4)', [n(x), a], '_int4');
      await oracle.call('array_fill(anyelement,_int4,_int4)', [n(x), ['_int4', '{2,2}'], a], '_int4');
    }
    for (const b of arrays) {
      await oracle.call('array_cat(anycompatiblearray,anycompatiblearray)', [a, b], '_int4');
      for (const f of ['arraycontains', 'arraycontained', 'arrayoverlap', 'array_eq', 'array_lt', 'array_ge'])
        await oracle.call(`${f}(anyarray,anyarray)`, [a, b], 'bool');
      await oracle.call('btarraycmp(anyarray,anyarray)', [a, b], 'int4');
    }
  }
  await oracle.call('array_fill(anyelement,_int4)', [n(1), ['_int4', '{1,1,1,1,1,1,1}']], '_int4');
  await oracle.call(
    'array_cat(anycompatiblearray,anycompatiblearray)',
    [
      ['_int4', null],
      ['_int4', '{1}'],
    ],
    '_int4',
  );
  await oracle.call('array_append(anycompatiblearray,anycompatible)', [['_int4', null], n(1)], '_int4');
  await oracle.report('functions');
});

test('random text arrays', async () => {
  const item = () => random.pick(['a', '', 'NULL', 'b c', '"', '\\', '{', '}', ',', 'é', '😀', 'Z', 'aa']);
  const array = () =>
    `{${Array.from({ length: random.below(4) }, () => (random.below(5) === 0 ? 'NULL' : `"${item().replace(/["\\]/g, '\\$&')}"`)).join(',')}}`;
  for (let i = 0; i < 800; i++) {
    const [a, b] = [array(), array()];
    await oracle.io('_text', a);
    await oracle.call(
      'btarraycmp(anyarray,anyarray)',
      [
        ['_text', a],
        ['_text', b],
      ],
      'int4',
    );
    await oracle.call(
      'arraycontains(anyarray,anyarray)',
      [
        ['_text', a],
        ['_text', b],
      ],
      'bool',
    );
  }
  await oracle.report('random');
});

test('uuid', async () => {
  const texts = [
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}',
    'a0eebc999c0b4ef8bb6d6bb9bd380a11',
    'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11',
    '',
    'a0eebc99',
    '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11',
    'a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}',
    'a0eebc99-9c0b4ef8-bb6d6bb9-bd380a1g',
    'a0eebc99--9c0b4ef8-bb6d6bb9-bd380a11',
    'a-0eebc99-9c0b4ef8-bb6d6bb9-bd380a11',
    ' a0eebc999c0b4ef8bb6d6bb9bd380a11',
    'a0eebc999c0b4ef8bb6d6bb9bd380a11-',
    '00000000-0000-0000-0000-000000000000',
    'C232AB00-9414-11EC-B3C8-9F6BDECED846',
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
  ];
  for (const t of texts) await oracle.io('uuid', t);
  const good = [texts[0], texts[3], texts[14], texts[15], texts[16]].map((t): Arg => ['uuid', t]);
  for (const a of good) {
    await oracle.call('uuid_extract_version(uuid)', [a], 'int2');
    await oracle.call('uuid_extract_timestamp(uuid)', [a], 'timestamptz');
    for (const b of good) for (const f of ['eq', 'lt', 'ge']) await oracle.call(`uuid_${f}(uuid,uuid)`, [a, b], 'bool');
  }
  await oracle.report('uuid');
});
