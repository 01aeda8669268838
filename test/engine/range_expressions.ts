/**
 * Random expressions over ranges, multiranges and their bounds, for PostgreSQL and Tidemark alike: literals, constructors, operators and functions over six range types,
 * and over columns r (range), m (multirange) and e (bound) of relations that the caller names.
 */

/** Bounds of a type in order, as texts. */
const BOUNDS: Record<string, string[]> = {
  int4: ['-3', '0', '1', '2', '3', '5', '9'],
  int8: ['-3', '0', '1', '2', '3', '5', '9000000000'],
  numeric: ['-Infinity', '-1.5', '0', '1', '1.5', '2', '7', 'Infinity', 'NaN'],
  date: ['-infinity', '2020-02-28', '2020-02-29', '2020-03-01', '2020-03-02', '2021-01-01', 'infinity'],
  timestamp: [
    '-infinity',
    '2020-01-01 00:00:00',
    '2020-01-01 00:00:00.5',
    '2020-01-02 10:00:00',
    '2020-03-01 00:00:00',
    'infinity',
  ],
  timestamptz: [
    '-infinity',
    '2020-01-01 00:00:00+02',
    '2020-01-01 00:00:00+00',
    '2020-01-02 10:00:00-05',
    '2020-03-01 00:00:00+00',
    'infinity',
  ],
};

export const RANGES: Record<string, string> = {
  int4range: 'int4',
  int8range: 'int8',
  numrange: 'numeric',
  daterange: 'date',
  tsrange: 'timestamp',
  tstzrange: 'timestamptz',
};

const multirangeName = (range: string) => range.replace('range', 'multirange');

export class RangeExpressions {
  readonly range: string;
  readonly multirange: string;
  readonly bound: string;
  readonly #random: (n: number) => number;
  /** Whether parts may be that raise an error for some values. */
  readonly #mayFail: boolean;
  #columns: string[];

  /** `columns`: what stands before r, m and e; none: no columns. */
  constructor(range: string, random: (n: number) => number, mayFail: boolean, columns: string[] = []) {
    this.range = range;
    this.multirange = multirangeName(range);
    this.bound = RANGES[range];
    this.#random = random;
    this.#mayFail = mayFail;
    this.#columns = columns;
  }

  #pick<T>(items: T[]): T {
    return items[this.#random(items.length)];
  }

  boundText(): string {
    return this.#pick(BOUNDS[this.bound]);
  }

  #quoted(text: string): string {
    return /[ ,]/.test(text) || this.#random(8) === 0 ? `"${text}"` : text;
  }

  rangeText(): string {
    if (this.#random(12) === 0) return this.#pick(['empty', 'EMPTY', ' empty ']);
    const bounds = BOUNDS[this.bound];
    const last = bounds.length - 1;
    const from = this.#random(bounds.length);
    const to =
      this.#mayFail && this.#random(8) === 0 ? this.#random(bounds.length) : from + this.#random(last - from + 1);
    const lower = this.#random(7) === 0 ? '' : this.#quoted(bounds[from]);
    const upper = this.#random(7) === 0 ? '' : this.#quoted(bounds[to]);
    return `${this.#pick(['[', '('])}${lower},${upper}${this.#pick([']', ')'])}`;
  }

  multirangeText(): string {
    return `{${Array.from({ length: this.#random(4) }, () => this.rangeText()).join(this.#pick([',', ', ']))}}`;
  }

  /** Text that may be one of a range or multirange, with something wrong in it. */
  spoiled(text: string): string {
    const at = this.#random(text.length + 1);
    const inserted = this.#pick(['"', '\\', ',', '[', ')', '{', '}', ' ', 'x', '""', 'empty']);
    return this.#pick([text.slice(0, at) + inserted + text.slice(at), text.slice(0, at) + text.slice(at + 1), text]);
  }

  #column(name: string): string {
    return `${this.#pick(this.#columns)}${name}`;
  }

  element(depth = 1): string {
    const kinds = [() => `'${this.boundText()}'::${this.bound}`];
    if (this.#columns.length > 0)
      kinds.push(
        () => this.#column('e'),
        () => this.#column('e'),
      );
    if (depth > 0) {
      kinds.push(
        () => `lower(${this.anyRange(depth - 1)})`,
        () => `upper(${this.anyRange(depth - 1)})`,
      );
    }
    return this.#pick(kinds)();
  }

  rangeValue(depth = 2): string {
    const kinds = [() => `'${this.rangeText()}'::${this.range}`];
    if (this.#columns.length > 0)
      kinds.push(
        () => this.#column('r'),
        () => this.#column('r'),
      );
    const [a, b] = [() => this.rangeValue(depth - 1), () => this.rangeValue(depth - 1)];
    if (depth > 0) {
      kinds.push(
        () => `(${a()} * ${b()})`,
        () => `range_merge(${a()}, ${b()})`,
        () => `range_merge(${this.multirangeValue(depth - 1)})`,
        () => `coalesce(${a()}, ${b()})`,
      );
      if (this.#mayFail) {
        const [x, y] = [() => this.element(depth - 1), () => this.element(depth - 1)];
        const flags = () => this.#pick(['[]', '[)', '(]', '()', '(]', '[[', '']);
        kinds.push(
          () => `(${a()} + ${b()})`,
          () => `(${a()} - ${b()})`,
          () => `${this.range}(${x()}, ${y()})`,
          () => `${this.range}(${x()}, ${y()}, '${flags()}')`,
          () => `${this.range}(NULL, ${y()}, '(]')`,
        );
      }
    }
    return this.#pick(kinds)();
  }

  multirangeValue(depth = 2): string {
    const kinds = [() => `'${this.multirangeText()}'::${this.multirange}`];
    if (this.#columns.length > 0)
      kinds.push(
        () => this.#column('m'),
        () => this.#column('m'),
      );
    const [a, b] = [() => this.multirangeValue(depth - 1), () => this.multirangeValue(depth - 1)];
    const range = () => this.rangeValue(depth - 1);
    // A NULL member is an error.
    const member = () => (this.#mayFail ? range() : `coalesce(${range()}, '${this.rangeText()}')`);
    if (depth > 0) {
      kinds.push(
        () => `(${a()} ${this.#pick(['+', '-', '*'])} ${b()})`,
        () => `${this.multirange}(${Array.from({ length: this.#random(4) }, member).join(', ')})`,
        () => `${range()}::${this.multirange}`,
        () => `multirange(${range()})`,
      );
    }
    return this.#pick(kinds)();
  }

  anyRange(depth = 2): string {
    return this.#random(2) === 0 ? this.rangeValue(depth) : this.multirangeValue(depth);
  }

  condition(depth = 2): string {
    const [a, b] = [() => this.anyRange(depth - 1), () => this.anyRange(depth - 1)];
    // PostgreSQL 17 has NULL in no empty range and in every one without bounds, when the range is a constant.
    const known = () => `coalesce(${this.element(depth - 1)}, '${this.boundText()}')`;
    const kinds = [
      () => `${a()} ${this.#pick(['&&', '@>', '<@', '<<', '>>', '&<', '&>', '-|-'])} ${b()}`,
      () => `${a()} @> ${known()}`,
      () => `${known()} <@ ${a()}`,
      () => `${this.rangeValue(depth - 1)} ${this.#comparison()} ${this.rangeValue(depth - 1)}`,
      () => `${this.multirangeValue(depth - 1)} ${this.#comparison()} ${this.multirangeValue(depth - 1)}`,
      () => `${this.#pick(['isempty', 'lower_inc', 'upper_inc', 'lower_inf', 'upper_inf'])}(${a()})`,
      () => `${this.rangeValue(depth - 1)} IN (${this.rangeValue(0)}, ${this.rangeValue(0)})`,
      () => `${this.rangeValue(depth - 1)} IS DISTINCT FROM ${this.rangeValue(depth - 1)}`,
    ];
    return this.#pick(kinds)();
  }

  #comparison(): string {
    return this.#pick(['=', '<>', '<', '<=', '>', '>=']);
  }

  /** Any of all. */
  value(): string {
    const kinds = [
      () => this.rangeValue(3),
      () => this.multirangeValue(3),
      () => this.condition(3),
      () => this.element(2),
      () => `to_jsonb(${this.anyRange()})`,
      () => `range_send(${this.rangeValue()})`,
      () => `multirange_send(${this.multirangeValue()})`,
      () => `(${this.anyRange()})::text`,
      () => `greatest(${this.rangeValue()}, ${this.rangeValue()})`,
    ];
    return this.#pick(kinds)();
  }
}
