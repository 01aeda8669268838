/** to_char, to_timestamp, to_date and to_number against PostgreSQL. */
import { after, before, test } from 'node:test';
import { PostgresOracle } from '../../../test/postgres_oracle.ts';
import { Random, testSeed } from '../../testing/property.ts';

let oracle: PostgresOracle;
before(async () => {
  oracle = await PostgresOracle.start();
});
after(() => oracle.stop());

const random = new Random(testSeed());

const DATE_WORDS = [
  'A.D.',
  'a.m.',
  'AD',
  'bc',
  'P.M.',
  'pm',
  'CC',
  'DAY',
  'Day',
  'day',
  'DDD',
  'DD',
  'DY',
  'Dy',
  'dy',
  'D',
  'FF1',
  'FF3',
  'ff6',
  'FX',
  'HH24',
  'HH12',
  'HH',
  'IDDD',
  'ID',
  'IW',
  'IYYY',
  'IYY',
  'IY',
  'I',
  'J',
  'MI',
  'MM',
  'MONTH',
  'Month',
  'month',
  'MON',
  'Mon',
  'MS',
  'OF',
  'Q',
  'RM',
  'rm',
  'SSSSS',
  'SSSS',
  'SS',
  'TZH',
  'TZM',
  'TZ',
  'tz',
  'US',
  'WW',
  'W',
  'Y,YYY',
  'YYYY',
  'YYY',
  'YY',
  'Y',
  'y',
];
const STAMPS = [
  '2001-02-03 04:05:06.789123',
  '1999-12-31 23:59:59',
  '0044-03-15 12:00 BC',
  '2024-02-29 00:00',
  '12345-06-17 13:00:01',
  '0001-01-01',
  '2010-10-21 11:12:13',
  '0100-01-01',
  '2021-01-03 12:34:56',
  'infinity',
  '1000-01-01 BC',
];
const SPANS = [
  '0',
  '1 year 2 mons 3 days 04:05:06.789',
  '-1 year -2 mons -3 days -04:05:06.789',
  '15 mons',
  '12 mons',
  '-12 mons',
  '-3 mons',
  '100:00:00',
  '1234567 years',
  '40 days 25:00',
  'infinity',
  '150 years',
  '5 mons 30 days',
];

test('timestamps and intervals', async () => {
  for (const zone of ['America/New_York', 'Asia/Kolkata']) {
    await oracle.set('timeZone', zone);
    for (const w of DATE_WORDS) {
      for (const template of [w, `FM${w}`, `${w}TH`, `FM${w}th`, `TM${w}`]) {
        for (const t of STAMPS) {
          await oracle.call(
            'to_char(timestamptz,text)',
            [
              ['timestamptz', t],
              ['text', template],
            ],
            'text',
          );
          if (zone === 'Asia/Kolkata')
            await oracle.call(
              'to_char(timestamp,text)',
              [
                ['timestamp', t],
                ['text', template],
              ],
              'text',
            );
        }
        if (zone !== 'Asia/Kolkata') continue;
        for (const i of SPANS)
          await oracle.call(
            'to_char(interval,text)',
            [
              ['interval', i],
              ['text', template],
            ],
            'text',
          );
      }
    }
  }
  await oracle.set('timeZone', 'UTC');
  const templates = [
    'YYYY-MM-DD HH24:MI:SS',
    '"Year:" YYYY',
    'Day, DD Mon YYYY HH12:MI:SS AM',
    'YYYYMMDD',
    'IYYY-IW-ID',
    '\\"YYYY\\"',
    '"a\\"b" DD',
    'foo',
    '',
    'DD"',
    'é DD é',
    'FMHH:FMMI',
    'yyyy"年"mm"月"',
    'HH24MISSMS',
    'FMFM DD',
    'DDSP',
    'MonthYYYY',
  ];
  for (const template of templates)
    for (const t of STAMPS)
      await oracle.call(
        'to_char(timestamp,text)',
        [
          ['timestamp', t],
          ['text', template],
        ],
        'text',
      );
  await oracle.report('to_char of times');
});

const NUMBER_TEMPLATES = [
  '9',
  '999',
  '9,999',
  '9G999',
  '999.99',
  '999D99',
  '000.00',
  '0999',
  '9990',
  '990.99',
  '.99',
  '9.',
  'FM999',
  'FM999.99',
  'FM990.00',
  'FM0.9',
  'FM9.9',
  'FM9,999,999.999',
  'S999',
  '999S',
  'S999.99',
  '999.99S',
  'SG999',
  '999SG',
  'MI999',
  '999MI',
  'PL999',
  '999PL',
  '999PR',
  'FM999PR',
  'FM999MI',
  'FMS999',
  '999th',
  '999TH',
  '9.9TH',
  'L999',
  'RN',
  'rn',
  'FMRN',
  '99V99',
  '9.99EEEE',
  '9EEEE',
  '999.999EEEE',
  'B999',
  'B9.9',
  '"x"999"y"',
  '9 9 9',
  '99999999999999999999.99',
  '9999999999.9999999999999999999',
  '0.0',
  '9.0',
  '9909',
  'C999',
  '999 "units"',
  '',
  'foo',
  '9,9,9',
  'S0',
  '0S',
  'FM0000.99',
  'FM09.90',
  '9-9',
  '99-99',
  '9.99S',
  'S.9',
  'FM.9',
  '90.9',
  'FM00.00PR',
  'D9',
  'G9',
  '9G',
  '99G99D99',
  '000,000',
  '0,000.0',
  '9.9.9',
  '9.9V',
  'V9.',
  'SS',
  'S9MI',
  '9PRS',
  'PR9',
  'RNRN',
  'RN9',
  '9EEEE9',
  'EEEEEEEE',
  'FM9EEEE',
  'PL9MI',
  'SG9PL',
  '9PR9',
  'MI9S',
  'LRN',
  '9th9',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '12',
  '-12',
  '123',
  '1234',
  '-1234',
  '485',
  '0.1',
  '-0.1',
  '0.5',
  '1.5',
  '-0.01',
  '12.34',
  '148.5',
  '3148.5',
  '0.0004859',
  '12345.678',
  '99.995',
  '1e10',
  '-1e10',
  '3999',
  '4000',
  '9.99',
  '-9.99',
  '1e-5',
  '123456789012',
  '100',
  '10.00',
];

test('numbers', async () => {
  for (const template of NUMBER_TEMPLATES) {
    for (const n of [...NUMBERS, 'NaN', 'Infinity', '-Infinity']) {
      await oracle.call(
        'to_char(numeric,text)',
        [
          ['numeric', n],
          ['text', template],
        ],
        'text',
      );
      await oracle.call(
        'to_char(float8,text)',
        [
          ['float8', n],
          ['text', template],
        ],
        'text',
      );
    }
    for (const n of NUMBERS)
      await oracle.call(
        'to_char(float4,text)',
        [
          ['float4', n],
          ['text', template],
        ],
        'text',
      );
    for (const n of ['0', '1', '-1', '12', '485', '-485', '12345', '2147483647', '-2147483648', '3999', '4000']) {
      await oracle.call(
        'to_char(int4,text)',
        [
          ['int4', n],
          ['text', template],
        ],
        'text',
      );
      await oracle.call(
        'to_char(int8,text)',
        [
          ['int8', n],
          ['text', template],
        ],
        'text',
      );
    }
  }
  await oracle.report('to_char of numbers');
});

test('random numbers and templates', async () => {
  for (let i = 0; i < 3000; i++) {
    const n = random.below(6);
    const template = Array.from({ length: 1 + random.below(7) }, () =>
      random.pick([
        '9',
        '9',
        '0',
        '.',
        ',',
        'D',
        'G',
        'S',
        'FM',
        'MI',
        'PL',
        'PR',
        'SG',
        ' ',
        'x',
        'th',
        'L',
        'V',
        'EEEE',
        'B',
      ]),
    ).join('');
    const value = ((random.next() - 0.5) * 10 ** n).toFixed(random.below(5));
    await oracle.call(
      'to_char(numeric,text)',
      [
        ['numeric', value],
        ['text', template],
      ],
      'text',
    );
    await oracle.call(
      'to_char(float8,text)',
      [
        ['float8', value],
        ['text', template],
      ],
      'text',
    );
    await oracle.call(
      'to_char(int4,text)',
      [
        ['int4', String(Math.trunc(Number(value)))],
        ['text', template],
      ],
      'text',
    );
  }
  await oracle.report('random');
});
