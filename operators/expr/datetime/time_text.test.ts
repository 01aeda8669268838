import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../batch/arena.ts';
import { U8 } from '../../batch/memory.ts';
import { Random, testSeed, times } from '../../testing/property.ts';
import { colType, OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import { resolveCall } from '../functions/index.ts';
import { readTimeText, timeTextStep } from './time_text.ts';

const seed = testSeed();
const FORMATS = [
  'YYYY',
  'YYYY-MM',
  'YYYYMMDD',
  'YYYY-MM-DD',
  'YYYY/MM/DD HH24',
  'YYYY-MM-DD HH24:MI',
  'YYYY-MM-DD HH24:MI:SS',
];
const toChar = resolveCall('to_char(timestamp,text)', {
  argTypes: [colType(OID.timestamp), colType(OID.text)],
  resultType: colType(OID.text),
  variadic: false,
});

function read(format: string, text: string): number {
  const arena = new Arena();
  const bytes = Buffer.from(text);
  const address = arena.alloc(bytes.length + 1);
  U8.set(bytes, address);
  const time = readTimeText(format, address, bytes.length);
  arena.release();
  return time;
}

const text = (time: bigint, format: string): string => toChar([time, format], defaultContext()) as string;

test('a text is read as its first moment, and its times lie within its step', () => {
  const random = new Random(seed);
  for (const format of FORMATS) {
    const step = Number(timeTextStep(format));
    for (let i = 0; i < times(300); i++) {
      // From 1715 to 2284.
      const time = BigInt(random.below(570) - 285) * 31556952000000n + BigInt(random.below(100000)) * 315000000n;
      const first = read(format, text(time, format));
      assert.ok(first <= Number(time) && Number(time) < first + step, `${format} of ${time}: ${first}`);
      assert.equal(text(BigInt(first), format), text(time, format));
    }
  }
});

test('other formats and other texts tell nothing', () => {
  for (const format of [
    '',
    'MM-YYYY',
    'HH24:MI',
    'YYY-MM',
    'YYYY-MM-DD HH12',
    'YYYY-Mon',
    'YYYY"-"MM',
    '-YYYY',
    'FMYYYY-MM',
    'YYYY-MM-',
  ])
    assert.equal(timeTextStep(format), null, format);
  for (const value of ['', '2026-1-01', '10000-01-01', '2026-01-01 ', '2026-01', '0044-03-15', '2026-ab-01'])
    assert.ok(Number.isNaN(read('YYYY-MM-DD', value)), value);
});
