/** Templates: answers of PostgreSQL written down, one for each trap. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colType, OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import { requireFunction } from '../functions/index.ts';
import { inputText, outputText } from '../io/index.ts';

const ctx = defaultContext();
const format = (type: 'timestamp' | 'interval' | 'numeric' | 'float8', text: string, template: string) =>
  requireFunction(`to_char(${type},text)`)(inputText(text, colType(OID[type]), ctx), template, ctx);

test('timestamps and intervals', () => {
  assert.equal(
    format('timestamp', '2001-02-03 16:05:06.789', 'FMDay, FMDDth "of" FMMonth YYYY HH12:MI:SS.MS PM'),
    'Saturday, 3rd of February 2001 04:05:06.789 PM',
  );
  assert.equal(format('timestamp', '2021-01-03', 'IYYY-IW-ID YYYY-WW-D'), '2020-53-7 2021-01-1');
  assert.equal(format('interval', '-26:30', 'HH24:MI'), '-26:-30');
  assert.equal(format('timestamp', 'infinity', 'YYYY'), null);
});

test('numbers', () => {
  assert.equal(format('numeric', '-12.5', '999D99'), ' -12.50');
  assert.equal(format('numeric', '0.1', 'FM9.99'), '.1');
  assert.equal(format('numeric', '485', 'RN'), '        CDLXXXV');
  assert.equal(format('numeric', '1234.5', '999'), ' ###');
  assert.equal(format('float8', '0.5', 'FM990'), '0');
  assert.equal(format('float8', '2.5', '9EEEE'), ' 2e+00');
  assert.equal(format('numeric', '-485', '999PR'), '<485>');
});

test('reading by template', () => {
  const toTimestamp = (text: string, template: string) =>
    outputText(requireFunction('to_timestamp(text,text)')(text, template, ctx), OID.timestamptz, ctx);
  assert.equal(toTimestamp('2000JUN', 'YYYYMON'), '2000-06-01 00:00:00+00');
  assert.equal(toTimestamp('44-02-01 11:12:13 BC', 'YYYY-MM-DD HH24:MI:SS BC'), '0044-02-01 11:12:13+00 BC');
  assert.equal(toTimestamp('2011-12-18 23:38 -05:30', 'YYYY-MM-DD HH24:MI OF'), '2011-12-19 05:08:00+00');
  assert.throws(() => toTimestamp('2001-02-30', 'YYYY-MM-DD'), { sqlstate: '22008' });
});
