/**
 * format(text, ...): %[position$][-][width | * | *position$]{s|I|L}, and %%.
 *
 * A positional argument moves the counter: the next specifier without position takes the argument after it.
 */
import { SqlError } from '../../errors.ts';
import { codePointLength } from './code_points.ts';
import { quoteIdent, quoteLiteral } from './quote.ts';

const SPECIFIER = /%(?:%|(?:(\d+)\$)?(-*)(?:(\d+)|(\*)(?:(\d+)(\$)?)?)?)/y;

/** Arguments by 0-based index, as text in output form (null for NULL), and as a width. */
export interface FormatArguments {
  count: number;
  text(index: number): string | null;
  width(index: number): number;
}

function bad(message: string, hint?: string): SqlError {
  return new SqlError('22023', message, { hint });
}

const PERCENT_HINT = 'For a single "%" use "%%".';

export function formatText(pattern: string, args: FormatArguments): string {
  let out = '';
  let next = 0;
  const take = (position: string | undefined): number => {
    if (position !== undefined) {
      if (Number(position) === 0) throw bad('format specifies argument 0, but arguments are numbered from 1');
      next = Number(position) - 1;
    }
    if (next >= args.count) throw bad('too few arguments for format()');
    return next++;
  };
  for (let i = 0; i < pattern.length; ) {
    const percent = pattern.indexOf('%', i);
    if (percent < 0) return out + pattern.slice(i);
    out += pattern.slice(i, percent);
    SPECIFIER.lastIndex = percent;
    const m = SPECIFIER.exec(pattern)!;
    i = SPECIFIER.lastIndex;
    if (m[0] === '%%') {
      out += '%';
      continue;
    }
    const [, position, minus, digits, star, starPosition, dollar] = m;
    if (position !== undefined && Number(position) === 0) {
      throw bad('format specifies argument 0, but arguments are numbered from 1');
    }
    if (i >= pattern.length) throw bad('unterminated format() type specifier', PERCENT_HINT);
    if (starPosition !== undefined && !dollar) throw bad('width argument position must be ended by "$"');
    const type = String.fromCodePoint(pattern.codePointAt(i)!);
    if (type !== 's' && type !== 'I' && type !== 'L') {
      throw bad(`unrecognized format() type specifier "${type}"`, PERCENT_HINT);
    }
    i++;
    let width = digits === undefined ? 0 : Number(digits);
    if (width > 2147483647) throw bad('number is out of range');
    let leftAlign = minus !== '';
    if (star) {
      width = args.width(take(starPosition));
      if (width < 0) {
        width = -width;
        leftAlign = true;
      }
    }
    out += align(convert(type, args.text(take(position))), width, leftAlign);
  }
  return out;
}

function convert(type: 's' | 'I' | 'L', value: string | null): string {
  if (value === null) {
    if (type === 'I') throw new SqlError('22004', 'null values cannot be formatted as an SQL identifier');
    return type === 'L' ? 'NULL' : '';
  }
  return type === 's' ? value : type === 'I' ? quoteIdent(value) : quoteLiteral(value);
}

function align(value: string, width: number, leftAlign: boolean): string {
  const pad = ' '.repeat(Math.max(width - codePointLength(value), 0));
  return leftAlign ? value + pad : pad + value;
}
