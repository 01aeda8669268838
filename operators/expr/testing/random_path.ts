/**
 * Test helper: random paths and documents. The text of a path is mostly well formed, sometimes damaged; what it asks of a document is
 * often there, and often of the wrong kind.
 */
import type { Random } from '../../testing/property.ts';

const KEYS = ['a', 'b', 'c', 'a b', 'é', 'size'];
const STRINGS = [
  'a',
  'abc',
  'ab\\nc',
  '',
  '1',
  '1.5',
  '-7e2',
  ' 12 ',
  'true',
  'f',
  'yes',
  'NaN',
  '1e400',
  '2023-08-15',
  '2023-08-15 12:34:56',
  '2023-08-15T12:34:56.789',
  '2023-08-15 12:34:56+05:30',
  '2023-08-15T12:34:56Z',
  '12:34:56',
  '12:34:56.789012',
  '12:34:56-08',
  '2023-02-30',
  'é😀',
];
const NUMBERS = ['0', '1', '2', '3', '-1', '1.5', '-2.50', '10', '1e10', '0.001', '12345678901234567890', '1e400'];
/** Numbers as paths write them; a sign is an operator. */
const LITERALS = ['0', '1', '2', '3', '1.5', '.5', '10', '0x1f', '1_000', '1e3', '2147483648'];

export function randomDocument(r: Random, depth: number): string {
  const kind = depth <= 0 ? r.below(4) : r.below(9);
  switch (kind) {
    case 0:
      return r.pick(['null', 'true', 'false']);
    case 1:
    case 2:
      return r.pick(NUMBERS);
    case 3:
      return `"${r.pick(STRINGS)}"`;
    case 4:
    case 5:
      return `[${Array.from({ length: r.below(4) }, () => randomDocument(r, depth - 1)).join(',')}]`;
    default: {
      const fields = Array.from({ length: r.below(4) }, () => `"${r.pick(KEYS)}":${randomDocument(r, depth - 1)}`);
      return `{${fields.join(',')}}`;
    }
  }
}

export const VARIABLES = [
  '{}',
  '{"x": 1, "y": "a", "z": [1, 2, {"a": 3}]}',
  '{"x": "2023-08-15", "y": "ab", "z": {"a": {"b": 1}}}',
];

export function randomPath(r: Random): string {
  const mode = r.pick(['', '', '', 'strict ', 'strict ', 'lax ']);
  const text = mode + (r.below(4) === 0 ? condition(r, 3, false) : value(r, 3, false));
  return r.below(12) === 0 ? damaged(r, text) : text;
}

function damaged(r: Random, text: string): string {
  const at = r.below(text.length);
  const cut = r.below(3);
  const extra = r.pick(['', '', ')', '(', '.', '"', '&&', '@', ' last ', '$', '[', '1', ' is ', '!', '==']);
  return text.slice(0, at) + extra + text.slice(at + cut);
}

function value(r: Random, depth: number, inFilter: boolean): string {
  if (depth <= 0) return chain(r, depth, inFilter);
  switch (r.below(12)) {
    case 0:
    case 1: {
      const op = r.pick(['+', '-', '*', '/', '%']);
      return `${operand(r, depth, inFilter)} ${op} ${operand(r, depth, inFilter)}`;
    }
    case 2:
      return `${r.pick(['-', '+'])}${operand(r, depth, inFilter)}`;
    case 3:
      return `(${condition(r, depth - 1, inFilter)})${step(r, depth, inFilter)}`;
    default:
      return chain(r, depth, inFilter);
  }
}

function operand(r: Random, depth: number, inFilter: boolean): string {
  return r.below(3) === 0 ? `(${value(r, depth - 1, inFilter)})` : chain(r, depth - 1, inFilter);
}

function start(r: Random, inFilter: boolean): string {
  switch (r.below(inFilter ? 12 : 8)) {
    case 0:
      return r.pick(LITERALS.filter((n) => !n.includes('.'))) + r.pick([' ', '']);
    case 1:
      return r.pick(['"a"', '"2023-08-15"', '"1.5"', 'null', 'true', '"12:00:00+01"']);
    case 2:
      return r.pick(['$x', '$y', '$"z"']);
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
      return '$';
    default:
      return '@';
  }
}

function chain(r: Random, depth: number, inFilter: boolean): string {
  const first = start(r, inFilter);
  const steps = Array.from({ length: r.below(4) }, () => step(r, depth, inFilter));
  // A point behind a number would be part of it.
  return /^\d/.test(first) && steps.length > 0 ? `(${first})${steps.join('')}` : first + steps.join('');
}

function step(r: Random, depth: number, inFilter: boolean): string {
  switch (r.below(14)) {
    case 0:
    case 1:
    case 2: {
      const key = r.pick(KEYS);
      return key.includes(' ') || r.below(3) === 0 ? `."${key}"` : `.${key}`;
    }
    case 3:
      return '.*';
    case 4:
    case 5:
      return '[*]';
    case 6:
      return `[${Array.from({ length: 1 + r.below(2) }, () => subscript(r, depth, inFilter)).join(', ')}]`;
    case 7:
      return r.pick(['.**', '.**{1}', '.**{0 to 1}', '.**{last}', '.**{1 to last}', '.**{2 to 1}']);
    case 8:
    case 9:
      return depth > 0 ? `${r.pick(['', ' '])}? (${condition(r, depth - 1, true)})` : '.a';
    default:
      return `.${method(r)}`;
  }
}

function method(r: Random): string {
  if (r.below(3) === 0) {
    return r.pick([
      'datetime()',
      'date()',
      'time()',
      'time(2)',
      'time_tz()',
      'timestamp()',
      'timestamp(1)',
      'timestamp_tz()',
      'datetime("yyyy-mm-dd")',
      'datetime("HH24:MI:SS TZH")',
      'datetime("yyyy-mm-dd\\"T\\"HH24:MI:SS.FF3")',
      'decimal()',
      'decimal(3)',
      'decimal(6, 2)',
      'decimal(5, -1)',
    ]);
  }
  const simple = 'type size abs floor ceiling double keyvalue bigint integer number boolean string'.split(' ');
  return `${r.pick(simple)}()`;
}

function subscript(r: Random, depth: number, inFilter: boolean): string {
  const index = (): string => {
    switch (r.below(6)) {
      case 0:
        return 'last';
      case 1:
        return `last - ${r.below(3)}`;
      case 2:
        return depth > 0 ? value(r, depth - 1, inFilter) : '0';
      default:
        return String(r.below(4));
    }
  };
  return r.below(3) === 0 ? `${index()} to ${index()}` : index();
}

function condition(r: Random, depth: number, inFilter: boolean): string {
  const inner = (): string => condition(r, depth - 1, inFilter);
  const side = (): string => value(r, depth - 1, inFilter);
  switch (depth <= 0 ? 6 + r.below(6) : r.below(12)) {
    case 0:
      return `(${inner()}) && ${inner()}`;
    case 1:
      return `${inner()} || ${inner()}`;
    case 2:
      return `!(${inner()})`;
    case 3:
      return `(${inner()}) is unknown`;
    case 4:
      return `exists (${side()})`;
    case 5:
      return `${side()} starts with ${r.pick(['"a"', '"ab"', '$y', '$x'])}`;
    case 6:
      return `${side()} like_regex ${r.pick(['"^A"', '"b.c"', '"."', '"^c"', '"a|1"'])}${r.pick(['', ' flag "i"', ' flag "s"', ' flag "m"', ' flag "q"'])}`;
    default: {
      const op = r.pick(['==', '!=', '<>', '<', '<=', '>', '>=']);
      return `${side()} ${op} ${side()}`;
    }
  }
}
