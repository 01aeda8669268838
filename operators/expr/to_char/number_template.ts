/** What a numeric template asks for: how many digits, where the sign stands, and which patterns may stand together. */
import { SqlError } from '../../errors.ts';
import { numberTemplate, type TemplateNode } from './template.ts';

export interface NumberFormat {
  nodes: TemplateNode[];
  /** Digit places before and after the decimal point, and after V. */
  pre: number;
  post: number;
  multi: number;
  /** Position of the first 0 (from 1; 0 when there is none) and of the last. */
  zeroStart: number;
  zeroEnd: number;
  /** S stands before or after the number. */
  sign: 'none' | 'before' | 'after';
  /** Digits in front of a leading S. */
  signAfterDigits: number;
  decimal: boolean;
  zero: boolean;
  blank: boolean;
  fill: boolean;
  bracket: boolean;
  minus: boolean;
  plus: boolean;
  roman: boolean;
  power: boolean;
  exponent: boolean;
}

const wrong = (message: string, detail?: string) => new SqlError('42601', message, { detail });

const formats = new Map<string, NumberFormat>();
const CACHE_SIZE = 200;

/** The format of a template; combinations that make no sense are 42601. */
export function numberFormat(template: string): NumberFormat {
  let format = formats.get(template);
  if (!format) {
    format = describe(numberTemplate(template));
    if (formats.size >= CACHE_SIZE) formats.clear();
    formats.set(template, format);
  }
  return format;
}

function describe(nodes: TemplateNode[]): NumberFormat {
  const f: NumberFormat = {
    nodes,
    pre: 0,
    post: 0,
    multi: 0,
    zeroStart: 0,
    zeroEnd: 0,
    sign: 'none',
    signAfterDigits: 0,
    decimal: false,
    zero: false,
    blank: false,
    fill: false,
    bracket: false,
    minus: false,
    plus: false,
    roman: false,
    power: false,
    exponent: false,
  };
  for (const node of nodes) if (node.kind === 'pattern') addPattern(f, node.text.toUpperCase());
  if (
    f.roman &&
    (f.decimal || f.zero || f.blank || f.bracket || f.minus || f.plus || f.power || f.sign !== 'none' || f.exponent)
  ) {
    throw wrong('"RN" is incompatible with other formats', '"RN" may only be used together with "FM".');
  }
  return f;
}

function addPattern(f: NumberFormat, pattern: string): void {
  if (f.exponent && pattern !== 'EEEE') throw wrong('"EEEE" must be the last pattern used');
  switch (pattern) {
    case '9':
      if (f.bracket) throw wrong('"9" must be ahead of "PR"');
      if (f.power) f.multi++;
      else if (f.decimal) f.post++;
      else f.pre++;
      break;
    case '0':
      if (f.bracket) throw wrong('"0" must be ahead of "PR"');
      if (!f.zero && !f.decimal) {
        f.zero = true;
        f.zeroStart = f.pre + 1;
      }
      if (f.decimal) f.post++;
      else f.pre++;
      f.zeroEnd = f.pre + f.post;
      break;
    case 'B':
      if (f.pre === 0 && f.post === 0 && !f.zero) f.blank = true;
      break;
    case 'D':
    case '.':
      if (f.decimal) throw wrong('multiple decimal points');
      if (f.power) throw wrong('cannot use "V" and decimal point together');
      f.decimal = true;
      break;
    case 'FM':
      f.fill = true;
      break;
    case 'S':
      addSign(f);
      break;
    case 'MI':
      if (f.sign !== 'none') throw wrong('cannot use "S" and "MI" together');
      f.minus = true;
      break;
    case 'PL':
      if (f.sign !== 'none') throw wrong('cannot use "S" and "PL" together');
      f.plus = true;
      break;
    case 'SG':
      if (f.sign !== 'none') throw wrong('cannot use "S" and "SG" together');
      f.minus = true;
      f.plus = true;
      break;
    case 'PR':
      if (f.sign !== 'none' || f.plus || f.minus) throw wrong('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
      f.bracket = true;
      break;
    case 'RN':
      if (f.roman) throw wrong('cannot use "RN" twice');
      f.roman = true;
      break;
    case 'V':
      if (f.decimal) throw wrong('cannot use "V" and decimal point together');
      f.power = true;
      break;
    case 'EEEE':
      if (f.exponent) throw wrong('cannot use "EEEE" twice');
      if (f.blank || f.fill || f.sign !== 'none' || f.bracket || f.minus || f.plus || f.roman || f.power) {
        throw wrong(
          '"EEEE" is incompatible with other formats',
          '"EEEE" may only be used together with digit and decimal point patterns.',
        );
      }
      f.exponent = true;
      break;
  }
}

function addSign(f: NumberFormat): void {
  if (f.sign !== 'none') throw wrong('cannot use "S" twice');
  if (f.plus || f.minus || f.bracket) throw wrong('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
  if (!f.decimal) {
    f.sign = 'before';
    f.signAfterDigits = f.pre;
  } else f.sign = 'after';
}
