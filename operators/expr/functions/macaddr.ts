/** Functions over macaddr and macaddr8: order, bits, the manufacturer's part, and the way from one to the other. */
import { SqlError } from '../../errors.ts';
import { macBytes, macText, widened } from '../network/mac.ts';
import { compareText } from '../text/code_points.ts';
import { comparisons, support } from './comparisons.ts';
import { register } from './registry.ts';

for (const type of ['macaddr', 'macaddr8']) {
  comparisons(`${type}_`, type, type, compareText);
  support(`${type}_cmp(${type},${type})`, compareText);
  register(`${type}_not(${type})`, (d: string) => macText(macBytes(d).map((b) => b ^ 0xff)));
  for (const [name, both] of [
    ['and', (a: number, b: number) => a & b],
    ['or', (a: number, b: number) => a | b],
  ] as const) {
    register(`${type}_${name}(${type},${type})`, (a: string, b: string) => {
      const right = macBytes(b);
      return macText(macBytes(a).map((byte, i) => both(byte, right[i])));
    });
  }
  register(`trunc(${type})`, (d: string) => macText(macBytes(d).map((b, i) => (i < 3 ? b : 0))));
}

register('macaddr8(macaddr)', (d: string) => macText(widened(macBytes(d))));
register('macaddr(macaddr8)', (d: string) => {
  const bytes = macBytes(d);
  if (bytes[3] === 0xff && bytes[4] === 0xfe) return macText([...bytes.slice(0, 3), ...bytes.slice(5)]);
  throw new SqlError('22003', 'macaddr8 data out of range to convert to macaddr', {
    hint: 'Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.',
  });
});
register('macaddr8_set7bit(macaddr8)', (d: string) => macText(macBytes(d).map((b, i) => (i === 0 ? b | 2 : b))));
