/** Datetimes of paths against PostgreSQL: texts near the ISO forms, methods, comparisons of all pairs, in zones with and without a summer. */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../../testing/property.ts';
import { type Call, Oracle, product, report } from '../../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const random = new Random(testSeed('datetimes of paths'));
const QUERY = 'jsonb_path_query(jsonb,jsonpath,jsonb,bool)';
const QUERY_TZ = 'jsonb_path_query_tz(jsonb,jsonpath,jsonb,bool)';
const METHODS = [
  'datetime()',
  'date()',
  'time()',
  'time(1)',
  'time_tz()',
  'timestamp()',
  'timestamp(0)',
  'timestamp_tz()',
];

/** Sets the zone and the clock on both sides: the offset of a time without a date is that of now. */
async function setZone(zone: string): Promise<void> {
  await oracle.exec(`SET timezone = '${zone}'`);
  oracle.ctx.timeZone = zone;
  const [now] = await oracle.attempt(['SELECT ((extract(epoch FROM now()) * 1000000)::int8 - 946684800000000)::text']);
  oracle.ctx.now = BigInt(now.slice(1));
}

function nearIso(): string {
  const some = (list: string[]) => random.pick(list);
  const date = some([
    '2024-02-29',
    '2024-2-9',
    '1999-12-31',
    '-44-03-15',
    '0000-01-01',
    '99999-01-01',
    '2024-02-30',
    '2024/02/29',
    ' 2024-01-01',
  ]);
  const clock = some(['12:34:56', '1:2:3', '23:59:60', '24:00:00', '12:34', '00:00:00', '12: 34:56', '12:34:+5']);
  const fraction = some(['', '', '.5', '.123456', '.1234567', '.']);
  const zone = some([
    '',
    '',
    '',
    'Z',
    'z',
    '+05',
    '-08:30',
    ' +01',
    ' EST',
    'EST',
    '+5',
    '+25',
    '-0530',
    '+05:61',
    'utc',
    ' ',
  ]);
  const time = clock + fraction + zone;
  const text = some([
    date,
    time,
    `${date} ${time}`,
    `${date}T${time}`,
    `${date}t${time}`,
    `${date}  ${time}`,
    `${date}T ${time}`,
  ]);
  if (random.below(10) > 0) return text;
  const at = random.below(text.length + 1);
  return text.slice(0, at) + some(['', ' ', 'T', ':', '-', '.', '1', 'x']) + text.slice(at + random.below(2));
}

test('texts near the ISO forms', async () => {
  await setZone('America/New_York');
  const calls = Array.from({ length: Number(process.env.ROUNDS ?? 6000) }, (): Call => {
    const text = JSON.stringify(nearIso());
    return [random.pick([QUERY, QUERY_TZ]), text, `$.${random.pick(METHODS)}`, '{}', random.pick(['f', 'f', 't'])];
  });
  report(await oracle.differences(calls));
});

test('conversions and comparisons', async () => {
  const texts = [
    '2024-02-29',
    '2024-07-01',
    '12:34:56.789',
    '12:34:56-05',
    '00:00:00+14',
    '2024-02-29 00:00:00',
    '2024-03-10 02:30:00',
    '2024-07-01T12:00:00.123456',
    '2024-02-29 05:00:00+00',
    '2024-07-01T12:00:00-04:00',
    '-44-03-15 12:00:00+00',
  ];
  const pairs = product(texts, texts, ['==', '<', '>=']);
  for (const zone of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
    await setZone(zone);
    const calls: Call[] = [];
    for (const fn of [QUERY, QUERY_TZ]) {
      for (const [a, b, op] of pairs) {
        calls.push([fn, JSON.stringify([a, b]), `$[0].datetime() ${op} $[1].datetime()`, '{}', 'f']);
      }
      for (const [text, method, then] of product(texts, METHODS, ['', '.type()', '.string()'])) {
        calls.push([fn, JSON.stringify(text), `$.${method}${then}`, '{}', 'f']);
      }
    }
    report(await oracle.differences(calls));
  }
});
