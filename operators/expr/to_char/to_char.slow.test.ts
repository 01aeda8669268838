/** to_char, to_timestamp, to_date and to_number against PostgreSQL. */
import { after, before, test } from 'node:test';
import { PostgresOracle, seededRandom } from '../../../test/postgres_oracle.ts';

let oracle: PostgresOracle;
before(async () => {
  oracle = await PostgresOracle.start();
});
after(() => oracle.stop());

const random = seededRandom();

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
  oracle.report('to_char of times');
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
  oracle.report('to_char of numbers');
});

test('random numbers and templates', async () => {
  for (let i = 0; i < 3000; i++) {
    const n = random.int(6);
    const template = Array.from({ length: 1 + random.int(7) }, () =>
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
    const value = ((random.next() - 0.5) * 10 ** n).toFixed(random.int(5));
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
  oracle.report('random');
});

test('to_timestamp and to_date', async () => {
  const cases: [string, string][] = [
    ['2001-02-03', 'YYYY-MM-DD'],
    ['2001-02-03 04:05:06', 'YYYY-MM-DD HH24:MI:SS'],
    ['20010203', 'YYYYMMDD'],
    ['20010203040506', 'YYYYMMDDHH24MISS'],
    ['05 Dec 2000', 'DD Mon YYYY'],
    ['05Dec2000', 'DDMonYYYY'],
    ['5 December 2000', 'DD Month YYYY'],
    ['Friday, 5 May 2000', 'Day, DD Mon YYYY'],
    ['2000 Feb 30', 'YYYY Mon DD'],
    ['2000-13-01', 'YYYY-MM-DD'],
    ['2000-00-01', 'YYYY-MM-DD'],
    ['99-1-2', 'YY-MM-DD'],
    ['01-1-2', 'YY-MM-DD'],
    ['1-1-2', 'Y-MM-DD'],
    ['999-1-2', 'YYY-MM-DD'],
    ['19991', 'YYYYDDD'],
    ['2020366', 'YYYYDDD'],
    ['2021366', 'YYYYDDD'],
    ['2021-W05-3', 'IYYY-"W"IW-ID'],
    ['2021-05-3', 'IYYY-IW-ID'],
    ['2021-100', 'IYYY-IDDD'],
    ['2021 10', 'YYYY WW'],
    ['2021 3 2', 'YYYY MM W'],
    ['2451545', 'J'],
    ['21 05', 'CC YY'],
    ['20', 'CC'],
    ['5 BC', 'CC BC'],
    ['44 03 15 BC', 'YYYY MM DD BC'],
    ['44-03-15 B.C.', 'YYYY-MM-DD B.C.'],
    ['10:20 PM', 'HH:MI PM'],
    ['10:20 pm', 'HH12:MI AM'],
    ['12:00 AM', 'HH:MI AM'],
    ['13:00 PM', 'HH:MI PM'],
    ['0:10 AM', 'HH:MI AM'],
    ['25:00', 'HH24:MI'],
    ['10:60', 'HH24:MI'],
    ['10:20:61', 'HH24:MI:SS'],
    ['5', 'SS'],
    ['12345', 'SSSS'],
    ['99999', 'SSSSS'],
    ['1.5', 'SS.MS'],
    ['1.05', 'SS.MS'],
    ['1.123456', 'SS.US'],
    ['1.12', 'SS.US'],
    ['1.1', 'SS.FF1'],
    ['1.123', 'SS.FF3'],
    ['1.123456', 'SS.FF3'],
    ['2001-02-03 04:05 +05', 'YYYY-MM-DD HH24:MI TZH'],
    ['2001-02-03 04:05 -05:30', 'YYYY-MM-DD HH24:MI TZH:TZM'],
    ['2001-02-03 04:05 -05:30', 'YYYY-MM-DD HH24:MI OF'],
    ['2001-02-03 04:05 EST', 'YYYY-MM-DD HH24:MI TZ'],
    ['2001-02-03 04:05 +3', 'YYYY-MM-DD HH24:MI TZ'],
    ['2001-02-03 FOO', 'YYYY-MM-DD TZ'],
    ['2001-02-03 +16', 'YYYY-MM-DD TZH'],
    ['2001 - 02 - 03', 'YYYY-MM-DD'],
    ['2001  02  03', 'YYYY MM DD'],
    ['2001/02/03', 'YYYY-MM-DD'],
    ['2001-02-03', 'YYYYxMMxDD'],
    ['  2001-02-03', 'YYYY-MM-DD'],
    ['2001 02 03', 'FXYYYY MM DD'],
    ['2001  02 03', 'FXYYYY MM DD'],
    ['2001-2-3', 'FXYYYY-MM-DD'],
    ['2001-2-3', 'YYYY-MM-DD'],
    ['2001-2-3', 'FXYYYY-FMMM-FMDD'],
    ['', 'YYYY'],
    ['2001', ''],
    ['', ''],
    ['abc', 'YYYY'],
    ['20', 'YYYY'],
    ['2', 'MMDD'],
    ['1x', 'MMDD'],
    ['2001 2002', 'YYYY YYYY'],
    ['2001-02', 'YYYY-IW'],
    ['3rd 2001', 'DDth YYYY'],
    ['3 2001', 'Q YYYY'],
    ['xi 2001', 'RM YYYY'],
    ['IX 2001', 'rm YYYY'],
    ['Foo 2001', 'Mon YYYY'],
    ['Mayor 2001', 'Month YYYY'],
    ['May2001', 'MonYYYY'],
    ['2,001 5', 'Y,YYY MM'],
    ['2001 5', 'Y,YYY MM'],
    ['999999-01-01', 'YYYY-MM-DD'],
    ['99999999999', 'YYYY'],
    ['5874898-01-01', 'YYYY-MM-DD'],
    ['2001-02-29', 'YYYY-MM-DD'],
    ['-44-02-01', 'YYYY-MM-DD'],
    ['0-02-01', 'YYYY-MM-DD'],
    ['2001 365', 'YYYY DDD'],
    ['100', 'DDD'],
    ['2001-02-03T04:05:06', 'YYYY-MM-DD"T"HH24:MI:SS'],
    ['2001-02-03 extra', 'YYYY-MM-DD'],
    ['am 10', 'AM HH'],
    ['Mon 2001', 'Dy YYYY'],
    ['2 2001', 'D YYYY'],
    ['15 "text between quote marks" 98 54 45', 'HH24 "\\"text between quote marks\\"" YY MI SS'],
    ['1985 January 12', 'YYYY FMMonth DD'],
    ['1,582nd VIII 21', 'Y,YYYth FMRM DD'],
    ['05121445482000', 'MMDDHH24MISSYYYY'],
    ['2000January09Sunday', 'YYYYFMMonthDDFMDay'],
    ['97/Feb/16', 'YYMonDD'],
    ['97/Feb/16', 'YY:Mon:DD'],
    ['97/Feb/16', 'FXYY:Mon:DD'],
    ['19971116', 'YYYYMMDD'],
    ['20000-1116', 'YYYY-MMDD'],
    ['1997 AD 11 16', 'YYYY BC MM DD'],
    ['9-1116', 'Y-MMDD'],
    ['95-1116', 'YY-MMDD'],
    ['995-1116', 'YYY-MMDD'],
    ['2005426', 'YYYYWWD'],
    ['2005527', 'IYYYIWID'],
    ['005527', 'IYYIWID'],
    ['05527', 'IYIWID'],
    ['5527', 'IIWID'],
    ['2005364', 'IYYYIDDD'],
    ['20050302', 'YYYYMMDD'],
    ['2005 03 02', 'YYYYMMDD'],
    [' 2005 03 02', 'YYYYMMDD'],
    ['  20050302', 'YYYYMMDD'],
    ['2011-12-18 11:38 PM', 'YYYY-MM-DD HH12:MI PM'],
    ['2011-12-18 11:38 -05', 'YYYY-MM-DD HH12:MI TZH'],
    ['2018-11-02 12:34:56.025', 'YYYY-MM-DD HH24:MI:SS.MS'],
    ['44-02-01 11:12:13 BC', 'YYYY-MM-DD HH24:MI:SS BC'],
    ['-44-02-01 11:12:13 BC', 'YYYY-MM-DD HH24:MI:SS BC'],
    ['1 4 1902', 'Q MM YYYY'],
    ['3 4 21 01', 'W MM CC YY'],
    ['2000 +   JUN', 'YYYY/MON'],
    ['  2000 +JUN', 'YYYY//MON'],
    ['2000 + + JUN', 'YYYY  MON'],
    ['2000--JUN', 'YYYY-MON'],
    ['2000 -10', 'YYYY TZH'],
    ['2000 + - 10', 'YYYY TZH'],
    ['2000+ -10', 'YYYYTZH'],
  ];
  for (const zone of ['UTC', 'America/New_York']) {
    await oracle.set('timeZone', zone);
    for (const [text, template] of cases) {
      await oracle.call(
        'to_timestamp(text,text)',
        [
          ['text', text],
          ['text', template],
        ],
        'timestamptz',
      );
      await oracle.call(
        'to_date(text,text)',
        [
          ['text', text],
          ['text', template],
        ],
        'date',
      );
    }
  }
  await oracle.set('timeZone', 'UTC');
  oracle.report('to_timestamp');
});
