/** Dates, times, timestamps and intervals against PostgreSQL. */
import { after, before, test } from 'node:test';
import { type Arg, PostgresOracle } from '../../../test/postgres_oracle.ts';
import { Random, testSeed } from '../../testing/property.ts';
import {
  DATES,
  INPUT_TEXTS,
  INTERVAL_TEXTS,
  INTERVALS,
  TIMES,
  TIMESTAMPS,
  TIMETZS,
  UNITS,
  ZONES,
} from '../testing/datetime_samples.ts';

let oracle: PostgresOracle;
before(async () => {
  oracle = await PostgresOracle.start();
});
after(() => oracle.stop());

const random = new Random(testSeed());

const all = (type: string, texts: string[]) => texts.map((t): Arg => [type, t]);

test('timestamp, date, time input', async () => {
  for (const style of ['ISO, MDY', 'ISO, DMY', 'ISO, YMD']) {
    await oracle.set('dateStyle', style);
    for (const zone of ['UTC', 'America/New_York']) {
      await oracle.set('timeZone', zone);
      for (const text of INPUT_TEXTS) {
        for (const type of ['timestamp', 'timestamptz', 'date', 'time', 'timetz']) {
          if (type === 'timetz' && zone !== 'UTC') continue;
          await oracle.io(type, text);
        }
      }
    }
  }
  await oracle.set('dateStyle', 'ISO, MDY');
  await oracle.set('timeZone', 'UTC');
  await oracle.report('input');
});

test('typmods', async () => {
  for (let p = 0; p <= 6; p++) {
    for (const text of TIMESTAMPS) {
      await oracle.io('timestamp', text, { typeSql: `timestamp(${p})`, typmod: p, binary: false });
      await oracle.io('timestamptz', text, { typeSql: `timestamptz(${p})`, typmod: p, binary: false });
    }
    for (const text of TIMES) await oracle.io('time', text, { typeSql: `time(${p})`, typmod: p, binary: false });
    for (const text of INTERVALS)
      await oracle.io('interval', text, { typeSql: `interval(${p})`, typmod: (0x7fff << 16) | p });
  }
  const ranges: Record<string, number> = {
    year: 4,
    month: 2,
    'year to month': 6,
    day: 8,
    hour: 1024,
    'day to hour': 1032,
    minute: 2048,
    'hour to minute': 3072,
    'day to minute': 3080,
    second: 4096,
    'minute to second': 6144,
    'hour to second': 7168,
    'day to second': 7176,
  };
  for (const [sql, bits] of Object.entries(ranges)) {
    for (const text of [
      ...INTERVALS,
      '1',
      '1.5',
      '1 2',
      '1 2:03',
      '1:2',
      '1:2.5',
      '1:2:3',
      '1-2',
      '-1-2 3',
      '1 2:03:04',
    ]) {
      await oracle.io('interval', text, { typeSql: `interval ${sql}`, typmod: (bits << 16) | 0xffff });
    }
  }
  await oracle.report('typmods');
});

test('output styles', async () => {
  for (const style of ['ISO, MDY', 'SQL, MDY', 'SQL, DMY', 'Postgres, MDY', 'Postgres, DMY', 'German, DMY']) {
    await oracle.set('dateStyle', style);
    for (const zone of ['UTC', 'America/New_York', 'Europe/Berlin']) {
      await oracle.set('timeZone', zone);
      for (const text of [
        '2001-02-03 04:05:06.789',
        '0044-03-15 BC',
        '2023-07-01 12:00:00',
        'infinity',
        '12345-06-17',
      ]) {
        for (const type of ['timestamp', 'timestamptz', 'date']) await oracle.io(type, text);
      }
    }
  }
  await oracle.set('dateStyle', 'ISO, MDY');
  await oracle.set('timeZone', 'UTC');
  await oracle.report('output');
});

test('interval input and output', async () => {
  for (const style of ['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601']) {
    await oracle.set('intervalStyle', style);
    for (const text of INTERVAL_TEXTS) await oracle.io('interval', text);
  }
  await oracle.set('intervalStyle', 'postgres');
  await oracle.report('interval');
});

test('functions of one argument and of units', async () => {
  const [ts, dates, times, timetzs, intervals] = [
    all('timestamp', TIMESTAMPS),
    all('date', DATES),
    all('time', TIMES),
    all('timetz', TIMETZS),
    all('interval', INTERVALS),
  ];
  const tz = all('timestamptz', TIMESTAMPS);
  for (const zone of ZONES) {
    await oracle.set('timeZone', zone);
    for (const unit of UNITS) {
      for (const a of zone === 'UTC' ? ts : []) {
        await oracle.call('extract(text,timestamp)', [['text', unit], a], 'numeric');
        await oracle.call('date_part(text,timestamp)', [['text', unit], a], 'float8');
        await oracle.call('date_trunc(text,timestamp)', [['text', unit], a], 'timestamp');
      }
      for (const a of tz) {
        await oracle.call('extract(text,timestamptz)', [['text', unit], a], 'numeric');
        await oracle.call('date_trunc(text,timestamptz)', [['text', unit], a], 'timestamptz');
      }
      if (zone !== 'UTC') continue;
      for (const a of dates) {
        await oracle.call('extract(text,date)', [['text', unit], a], 'numeric');
        await oracle.call('date_part(text,date)', [['text', unit], a], 'float8');
      }
      for (const a of times) await oracle.call('extract(text,time)', [['text', unit], a], 'numeric');
      for (const a of timetzs) await oracle.call('extract(text,timetz)', [['text', unit], a], 'numeric');
      for (const a of intervals) {
        await oracle.call('extract(text,interval)', [['text', unit], a], 'numeric');
        await oracle.call('date_part(text,interval)', [['text', unit], a], 'float8');
        await oracle.call('date_trunc(text,interval)', [['text', unit], a], 'interval');
      }
    }
    for (const a of ts) {
      await oracle.call('timestamptz(timestamp)', [a], 'timestamptz');
      await oracle.call('date(timestamp)', [a], 'date');
      await oracle.call('time(timestamp)', [a], 'time');
      await oracle.call('isfinite(timestamp)', [a], 'bool');
      await oracle.call('timezone(timestamp)', [a], 'timestamptz');
    }
    for (const a of tz) {
      await oracle.call('timestamp(timestamptz)', [a], 'timestamp');
      await oracle.call('date(timestamptz)', [a], 'date');
      await oracle.call('time(timestamptz)', [a], 'time');
      await oracle.call('timetz(timestamptz)', [a], 'timetz');
      for (const z of [
        'UTC',
        'america/new_york',
        'EST',
        'Foo',
        'UTC+3',
        '+3',
        '-03:30',
        '3',
        'Europe/London',
        'z',
        '<+03>-03',
        '',
      ]) {
        await oracle.call('timezone(text,timestamptz)', [['text', z], a], 'timestamp');
        await oracle.call('date_trunc(text,timestamptz,text)', [['text', 'day'], a, ['text', z]], 'timestamptz');
      }
      for (const i of ['1 hour', '-05:30', '1 day', 'infinity', '1 mon']) {
        await oracle.call('timezone(interval,timestamptz)', [['interval', i], a], 'timestamp');
      }
    }
    for (const a of dates) {
      await oracle.call('timestamp(date)', [a], 'timestamp');
      await oracle.call('timestamptz(date)', [a], 'timestamptz');
    }
  }
  await oracle.set('timeZone', 'UTC');
  for (const a of intervals) {
    for (const f of ['justify_hours', 'justify_days', 'justify_interval', 'interval_um'])
      await oracle.call(`${f}(interval)`, [a], 'interval');
    await oracle.call('time(interval)', [a], 'time');
    await oracle.call('isfinite(interval)', [a], 'bool');
    for (const x of ['0', '1', '-1', '2.5', '0.1', '1e10', '-0.3', 'NaN', 'Infinity', '-Infinity', '1e-10', '3']) {
      await oracle.call('interval_mul(interval,float8)', [a, ['float8', x]], 'interval');
      await oracle.call('mul_d_interval(float8,interval)', [['float8', x], a], 'interval');
      await oracle.call('interval_div(interval,float8)', [a, ['float8', x]], 'interval');
    }
  }
  for (const a of timetzs) {
    await oracle.call('time(timetz)', [a], 'time');
    for (const z of ['UTC', 'EST', '+3']) await oracle.call('timezone(text,timetz)', [['text', z], a], 'timetz');
  }
  for (const x of [
    '0',
    '1.5',
    '1e9',
    '1284352323.123456',
    '-1e10',
    'NaN',
    'Infinity',
    '-Infinity',
    '1e20',
    '9224318015999.9',
    '9224318016000',
    '-210866803200',
  ]) {
    await oracle.call('to_timestamp(float8)', [['float8', x]], 'timestamptz');
  }
  await oracle.report('functions');
});

test('pairs', async () => {
  const [ts, tz, dates, times, timetzs, intervals] = [
    'timestamp',
    'timestamptz',
    'date',
    'time',
    'timetz',
    'interval',
  ].map((type, i) => all(type, [TIMESTAMPS, TIMESTAMPS, DATES, TIMES, TIMETZS, INTERVALS][i]));
  const tests = ['eq', 'lt', 'ge', 'cmp'];
  for (const zone of ['UTC', 'Europe/Berlin', 'America/New_York']) {
    await oracle.set('timeZone', zone);
    const both = async (fn: string, as: Arg[], bs: Arg[], result: string) => {
      for (const a of as) for (const b of bs) await oracle.call(fn, [a, b], result);
    };
    await both('timestamptz_pl_interval(timestamptz,interval)', tz, intervals, 'timestamptz');
    await both('age(timestamptz,timestamptz)', tz, tz, 'interval');
    await both('timestamptz_mi_interval(timestamptz,interval)', tz, intervals.slice(0, 8), 'timestamptz');
    for (const t of tests) {
      const result = t === 'cmp' ? 'int4' : 'bool';
      await both(`timestamp_${t}_timestamptz(timestamp,timestamptz)`, ts.slice(0, 12), tz.slice(0, 12), result);
      await both(`date_${t}_timestamptz(date,timestamptz)`, dates, tz.slice(0, 12), result);
    }
    if (zone !== 'UTC') continue;
    await both('timestamp_pl_interval(timestamp,interval)', ts, intervals, 'timestamp');
    await both('timestamp_mi(timestamp,timestamp)', ts, ts, 'interval');
    await both('age(timestamp,timestamp)', ts, ts, 'interval');
    await both('interval_pl(interval,interval)', intervals, intervals, 'interval');
    await both('interval_mi(interval,interval)', intervals, intervals, 'interval');
    await both('time_pl_interval(time,interval)', times, intervals, 'time');
    await both('time_mi_interval(time,interval)', times, intervals, 'time');
    await both('time_mi_time(time,time)', times, times, 'interval');
    await both('timetz_pl_interval(timetz,interval)', timetzs, intervals, 'timetz');
    await both('date_pl_interval(date,interval)', dates, intervals, 'timestamp');
    await both('date_mi(date,date)', dates, dates, 'int4');
    await both('datetime_pl(date,time)', dates, times, 'timestamp');
    await both('datetimetz_pl(date,timetz)', dates, timetzs, 'timestamptz');
    await both(
      'date_pli(date,int4)',
      dates,
      all('int4', ['0', '1', '-1', '2147483647', '-2147483648', '-2451545']),
      'date',
    );
    for (const t of tests) {
      const result = t === 'cmp' ? 'int4' : 'bool';
      await both(`interval_${t}(interval,interval)`, intervals, intervals, result);
      await both(`timetz_${t}(timetz,timetz)`, timetzs, timetzs, result);
      await both(`date_${t}_timestamp(date,timestamp)`, dates, ts, result);
      await both(`timestamp_${t}_date(timestamp,date)`, ts, dates, result);
    }
    for (const stride of intervals) {
      for (const t of ts.slice(0, 13)) {
        for (const origin of ['2000-01-01', '2001-02-16 20:38:40', 'infinity', '4714-11-24 BC']) {
          await oracle.call('date_bin(interval,timestamp,timestamp)', [stride, t, ['timestamp', origin]], 'timestamp');
        }
      }
    }
  }
  await oracle.set('timeZone', 'UTC');
  await oracle.report('pairs');
});

test('makers and series', async () => {
  const n = (x: number): Arg => ['int4', String(x)];
  for (const y of [2020, 0, -1, -4714, 5874897, 294276, 2147483647]) {
    for (const m of [0, 1, 2, 13]) {
      for (const d of [0, 1, 29, 32]) {
        await oracle.call('make_date(int4,int4,int4)', [n(y), n(m), n(d)], 'date');
        await oracle.call(
          'make_timestamp(int4,int4,int4,int4,int4,float8)',
          [n(y), n(m), n(d), n(1), n(2), ['float8', '3.5']],
          'timestamp',
        );
      }
    }
  }
  for (const s of ['0', '59.9999999', '60', '61', '-1', 'NaN', '0.0000005', '1e10']) {
    for (const [h, m] of [
      [0, 0],
      [24, 0],
      [23, 59],
      [25, 0],
      [-1, 0],
      [0, 60],
    ]) {
      await oracle.call('make_time(int4,int4,float8)', [n(h), n(m), ['float8', s]], 'time');
      await oracle.call(
        'make_timestamp(int4,int4,int4,int4,int4,float8)',
        [n(2020), n(1), n(1), n(h), n(m), ['float8', s]],
        'timestamp',
      );
    }
    await oracle.call(
      'make_interval(int4,int4,int4,int4,int4,int4,float8)',
      [n(1), n(-2), n(3), n(4), n(5), n(6), ['float8', s]],
      'interval',
    );
  }
  for (const zone of ['UTC', 'America/New_York', '+3', '-03:30', '+25', 'Foo', 'EST', '+x', 'UTC+3']) {
    await oracle.call(
      'make_timestamptz(int4,int4,int4,int4,int4,float8,text)',
      [n(2020), n(7), n(1), n(1), n(2), ['float8', '3'], ['text', zone]],
      'timestamptz',
    );
  }
  for (const [start, stop, step] of [
    ['2020-01-01', '2020-01-05', '1 day'],
    ['2020-01-31', '2020-06-01', '1 mon'],
    ['2020-01-05', '2020-01-01', '-36 hours'],
    ['2020-01-01', '2020-01-05', '0'],
    ['2020-01-01', '2020-01-05', '-1 day'],
    ['2020-03-07', '2020-03-10', '1 day'],
    ['2020-01-01', '2020-01-05', 'infinity'],
  ]) {
    await oracle.set('timeZone', 'America/New_York');
    await oracle.set_(
      'generate_series(timestamp,timestamp,interval)',
      [
        ['timestamp', start],
        ['timestamp', stop],
        ['interval', step],
      ],
      ['timestamp'],
    );
    await oracle.set_(
      'generate_series(timestamptz,timestamptz,interval)',
      [
        ['timestamptz', start],
        ['timestamptz', stop],
        ['interval', step],
      ],
      ['timestamptz'],
    );
    await oracle.set('timeZone', 'UTC');
  }
  const maybe = (t: string): Arg => ['timestamp', t === '' ? null : t];
  const points = ['', '2020-01-01', '2020-01-03', '2020-01-05'];
  for (const a of points)
    for (const b of points)
      for (const c of points)
        for (const d of points) {
          await oracle.call(
            'overlaps(timestamp,timestamp,timestamp,timestamp)',
            [maybe(a), maybe(b), maybe(c), maybe(d)],
            'bool',
          );
        }
  await oracle.report('makers');
});

test('random timestamps and intervals', async () => {
  const timestamp = () => {
    const year = random.pick([1 + random.below(9999), 1900 + random.below(200), 2000 + random.below(50)]);
    const f = (n: number) => String(n).padStart(2, '0');
    return `${String(year).padStart(4, '0')}-${f(1 + random.below(12))}-${f(1 + random.below(28))} ${f(random.below(24))}:${f(random.below(60))}:${f(random.below(60))}.${random.below(1_000_000)}`;
  };
  const interval = () =>
    `${random.below(4001) - 2000} mons ${random.below(20001) - 10000} days ${random.below(2_000_001) - 1_000_000} secs ${random.below(1_000_000)} us`;
  for (let i = 0; i < 1500; i++) {
    if (i % 150 === 0) await oracle.set('timeZone', random.pick(ZONES));
    const [a, b] = [timestamp(), timestamp()];
    const iv = interval();
    await oracle.io('timestamp', a);
    await oracle.io('timestamptz', a);
    await oracle.io('timestamptz', `${a}${random.pick(['Z', '+05', '-03:30', '+1545', '+16', '+05:60', ' +02', 'z'])}`);
    await oracle.call(
      'timestamptz_pl_interval(timestamptz,interval)',
      [
        ['timestamptz', a],
        ['interval', iv],
      ],
      'timestamptz',
    );
    await oracle.call(
      'age(timestamptz,timestamptz)',
      [
        ['timestamptz', a],
        ['timestamptz', b],
      ],
      'interval',
    );
    await oracle.call(
      'timestamp_mi(timestamp,timestamp)',
      [
        ['timestamp', a],
        ['timestamp', b],
      ],
      'interval',
    );
    await oracle.call(
      'extract(text,timestamptz)',
      [
        ['text', random.pick(UNITS)],
        ['timestamptz', a],
      ],
      'numeric',
    );
    await oracle.call(
      'date_trunc(text,timestamptz)',
      [
        ['text', random.pick(UNITS)],
        ['timestamptz', a],
      ],
      'timestamptz',
    );
    await oracle.call('timestamptz(timestamp)', [['timestamp', a]], 'timestamptz');
    await oracle.call(
      'interval_mul(interval,float8)',
      [
        ['interval', iv],
        ['float8', String(random.next() * 20 - 10)],
      ],
      'interval',
    );
    await oracle.call(
      'interval_div(interval,float8)',
      [
        ['interval', iv],
        ['float8', String(random.next() * 20 - 10)],
      ],
      'interval',
    );
    await oracle.call('justify_interval(interval)', [['interval', iv]], 'interval');
    await oracle.call(
      'interval_cmp(interval,interval)',
      [
        ['interval', iv],
        ['interval', interval()],
      ],
      'int4',
    );
  }
  await oracle.set('timeZone', 'UTC');
  await oracle.report('random');
});
