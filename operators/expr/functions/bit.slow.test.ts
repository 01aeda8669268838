/** Bit string functions and input against PostgreSQL. */
import { after, before, test } from 'node:test';
import { type Call, Oracle, product, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const BITS = [
  null,
  '',
  '0',
  '1',
  '101',
  '0101',
  '11111111',
  '101010101',
  'x1F',
  'B10',
  '12',
  'xg',
  '0'.repeat(33),
  '1'.repeat(64),
  '1'.repeat(65),
];
const NUMBERS = ['0', '1', '-1', '3', '8', '40', '2147483647', '-2147483648'];

test('bit strings', async () => {
  const calls: Call[] = [];
  for (const a of BITS) {
    for (const fn of ['bitnot', 'length', 'bit_length', 'octet_length', 'bit_count', 'int4', 'int8'])
      calls.push([`${fn}(bit)`, a]);
    for (const b of BITS) {
      for (const fn of ['bitand', 'bitor', 'bitxor', 'biteq', 'bitlt', 'bitge', 'bitne', 'position'])
        calls.push([`${fn}(bit,bit)`, a, b]);
      calls.push(['bitcat(varbit,varbit)', a, b], ['varbitlt(varbit,varbit)', a, b]);
    }
    for (const n of NUMBERS) {
      calls.push(['bitshiftleft(bit,int4)', a, n], ['bitshiftright(bit,int4)', a, n], ['substring(bit,int4)', a, n]);
      calls.push(
        ['get_bit(bit,int4)', a, n],
        ['set_bit(bit,int4,int4)', a, n, '1'],
        ['set_bit(bit,int4,int4)', a, '0', n],
      );
      for (const m of NUMBERS)
        calls.push(['substring(bit,int4,int4)', a, n, m], ['overlay(bit,bit,int4,int4)', a, '11', n, m]);
    }
    for (const [n, explicit] of product(['-1', '3', '8'], ['true', 'false'])) {
      calls.push(['bit(bit,int4,bool)', a, n, explicit], ['varbit(varbit,int4,bool)', a, n, explicit]);
    }
  }
  for (const [v, n] of product(['0', '5', '-1', '2147483647', '-2147483648'], ['-1', '1', '3', '32', '40'])) {
    calls.push(['bit(int4,int4)', v, n], ['bit(int8,int4)', v, n]);
  }
  report(await oracle.differences(calls));
});
