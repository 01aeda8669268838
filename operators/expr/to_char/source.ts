/** The text that a template reads, with the readers of its parts and their errors (22007, 22008). */
import { SqlError } from '../../errors.ts';
import type { ReadFields } from './read_fields.ts';
import { isSpaceChar } from './template.ts';

const FM_HINT = 'If your source string is not fixed-width, try using the "FM" modifier.';

export class Source {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  atEnd(): boolean {
    return this.at >= this.text.length;
  }

  peek(): string {
    return this.text.charAt(this.at);
  }

  previous(): string {
    return this.text.charAt(this.at - 1);
  }

  rest(): string {
    return this.text.slice(this.at);
  }

  /** Passes n characters (code points). */
  skip(n = 1): void {
    for (let i = 0; i < n && !this.atEnd(); i++) this.at += this.text.codePointAt(this.at)! > 0xffff ? 2 : 1;
  }

  /** Passes blanks; returns how many. */
  skipSpaces(): number {
    const start = this.at;
    while (!this.atEnd() && isSpaceChar(this.peek())) this.at++;
    return this.at - start;
  }

  /** An integer of `width` characters, or as long as it goes when `greedy`. */
  integer(width: number, greedy: boolean, pattern: string): { value: number; length: number } {
    const start = this.at;
    this.skipSpaces();
    const field = this.text.slice(this.at, this.at + width);
    let digits: string;
    if (greedy) digits = /^\s*[+-]?\d+/.exec(this.rest())?.[0] ?? '';
    else {
      if (field.length < width) {
        throw new SqlError('22007', `source string too short for "${pattern}" formatting field`, {
          detail: `Field requires ${width} characters, but only ${field.length} remain.`,
          hint: FM_HINT,
        });
      }
      digits = /^\s*[+-]?\d+/.exec(field)?.[0] ?? '';
      if (digits.length > 0 && digits.length < width) {
        throw new SqlError('22007', `invalid value "${field}" for "${pattern}"`, {
          detail: `Field requires ${width} characters, but only ${digits.length} could be parsed.`,
          hint: FM_HINT,
        });
      }
    }
    this.at += digits.length;
    if (this.at === start || digits === '') {
      throw new SqlError('22007', `invalid value "${field}" for "${pattern}"`, { detail: 'Value must be an integer.' });
    }
    const value = Number(digits);
    if (value > 2147483647 || value < -2147483648) {
      throw new SqlError('22008', `value for "${pattern}" in source string is out of range`, {
        detail: 'Value must be in the range -2147483648 to 2147483647.',
      });
    }
    return { value: value + 0, length: this.at - start };
  }

  /** `1,999` */
  thousandsYear(): number {
    const m = /^\s*([+-]?\d+),(\d{1,3})/.exec(this.rest());
    if (!m) throw new SqlError('22007', `invalid value "${this.rest()}" for "Y,YYY"`);
    this.at += m[0].length;
    const year = Number(m[1]) * 1000 + Number(m[2]);
    if (Math.abs(year) > 2147483647) {
      throw new SqlError('22008', 'value for "Y,YYY" in source string is out of range');
    }
    return year;
  }

  /** Index of the first name the text begins with, in any case; -1 for none. */
  name(names: readonly string[]): number {
    const rest = this.rest().toLowerCase();
    const found = names.findIndex((n) => rest.startsWith(n.toLowerCase()));
    if (found >= 0) this.at += names[found].length;
    return found;
  }
}

/** Index of the name that stands next; 22007 when none does. */
export function parseNames(source: Source, names: readonly string[], pattern: string): number {
  const found = source.name(names);
  if (found >= 0) return found;
  const word = /^\S*/.exec(source.rest())![0];
  throw new SqlError('22007', `invalid value "${word}" for "${pattern}"`, {
    detail: 'The given value did not match any of the allowed values for this field.',
  });
}

/** Sets a field; two different values for one field are 22007. */
export function setField(out: ReadFields, field: keyof ReadFields, value: number, pattern: string): void {
  const before = out[field];
  if (before !== 0 && before !== value) {
    throw new SqlError('22007', `conflicting values for "${pattern}" field in formatting string`, {
      detail: 'This value contradicts a previous setting for the same field type.',
    });
  }
  (out as unknown as Record<string, number>)[field] = value;
}
