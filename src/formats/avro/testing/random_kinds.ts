/** Random Avro types with makers of values: what avsc is given to write, and the JSON text that is expected of it. */
import type { Random } from '../../../../operators/testing/property.ts';

/** A type with a maker of values: for avsc, and as the JSON text that is expected. */
export interface Kind {
  schema: unknown;
  /** What avsc calls it as a branch of a union. */
  branch: string;
  make(random: Random): { value: unknown; json: string };
}

let names = 0;
const TEXTS = [
  '',
  'a',
  'Google',
  'é',
  '😀 smile',
  'a "quoted"\nline',
  'https://example.com/a?b=c&d=0123456789',
  'x'.repeat(100),
];
const LONGS = [
  0n,
  1n,
  -1n,
  63n,
  64n,
  -64n,
  -65n,
  2n ** 31n,
  2n ** 53n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const INTS = [0, 1, -1, 100, 32767, 32768, -32769, 2 ** 31 - 1, -(2 ** 31)];
const MILLIS = [0, -1, 1767225600000, 1767225600123, -62135596800000];
const hex = (bytes: Buffer) => `"\\\\x${bytes.toString('hex')}"`;
const iso = (ms: number, more: string) => new Date(ms).toISOString().slice(0, 19) + more;
const fraction = (ms: number) =>
  ms % 1000 === 0 ? '' : `.${String(((ms % 1000) + 1000) % 1000).padStart(3, '0')}`.replace(/0+$/, '');

const plain = (name: string, make: Kind['make']): Kind => ({ schema: name, branch: name, make });
const logical = (type: string, logicalType: string, make: Kind['make'], more = {}): Kind => {
  return { schema: { type, logicalType, ...more }, branch: type, make };
};
const some =
  <T>(list: readonly T[], json: (value: T) => string) =>
  (random: Random) => {
    const value = random.pick(list);
    return { value, json: json(value) };
  };

const SCALARS: Kind[] = [
  plain('null', () => ({ value: null, json: 'null' })),
  plain('boolean', some([true, false], String)),
  plain('int', some(INTS, String)),
  plain('long', some(LONGS, String)),
  plain('float', some([0, 0.25, -1.5, 1024], String)),
  plain(
    'double',
    some([0, 0.1, -2.5, 123456.789, Number.NaN], (x) => (Number.isNaN(x) ? '"NaN"' : String(x))),
  ),
  plain('bytes', some([Buffer.alloc(0), Buffer.from([0, 255]), Buffer.alloc(40, 7)], hex)),
  plain(
    'string',
    some(TEXTS, (text) => JSON.stringify(text)),
  ),
  logical(
    'int',
    'date',
    some([0, 1, -1, 20454], (days) => `"${new Date(days * 86_400_000).toISOString().slice(0, 10)}"`),
  ),
  logical(
    'int',
    'time-millis',
    some([0, 86_399_000], (ms) => `"${iso(ms, '').slice(11)}"`),
  ),
  logical(
    'long',
    'time-micros',
    some([0, 3_600_000_000], (us) => `"${iso(us / 1000, '').slice(11)}"`),
  ),
  logical(
    'long',
    'timestamp-millis',
    some(MILLIS, (ms) => `"${iso(ms, `${fraction(ms)}+00:00`)}"`),
  ),
  logical(
    'long',
    'local-timestamp-millis',
    some(MILLIS, (ms) => `"${iso(ms, fraction(ms))}"`),
  ),
  logical('long', 'timestamp-micros', (random) => {
    const ms = random.pick(MILLIS.slice(0, 4));
    return { value: ms * 1000, json: `"${iso(ms, `${fraction(ms)}+00:00`)}"` };
  }),
  logical('string', 'uuid', () => {
    const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
    return { value: uuid, json: `"${uuid}"` };
  }),
  logical(
    'bytes',
    'decimal',
    some(
      [
        Buffer.from([1, 0]),
        Buffer.from([255]),
        Buffer.alloc(9, 255),
        Buffer.from([127, 255, 255, 255, 255, 255, 255, 255, 0]),
      ],
      (b) => {
        const text = String(BigInt.asIntN(b.length * 8, BigInt(`0x${b.toString('hex')}`)));
        const digits = text.replace('-', '').padStart(3, '0');
        return `${text.startsWith('-') ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
      },
    ),
    { precision: 30, scale: 2 },
  ),
];

export function anyKind(random: Random, depth: number): Kind {
  const kinds = depth === 0 ? 0 : 6;
  const n = random.below(SCALARS.length + kinds) - SCALARS.length;
  switch (n) {
    case 0: {
      const item = anyKind(random, depth - 1);
      return {
        schema: { type: 'array', items: item.schema },
        branch: 'array',
        make: (r) => {
          const made = Array.from({ length: r.below(4) }, () => item.make(r));
          return { value: made.map(({ value }) => value), json: `[${made.map(({ json }) => json).join(',')}]` };
        },
      };
    }
    case 1: {
      const item = anyKind(random, depth - 1);
      return {
        schema: { type: 'map', values: item.schema },
        branch: 'map',
        make: (r) => {
          const made = Array.from({ length: r.below(4) }, (_, i) => [`key ${i}`, item.make(r)] as const);
          return {
            value: Object.fromEntries(made.map(([key, { value }]) => [key, value])),
            json: `{${made.map(([key, { json }]) => `"${key}":${json}`).join(',')}}`,
          };
        },
      };
    }
    case 2: {
      const name = `R${++names}`;
      const fields = Array.from({ length: random.below(4) }, (_, i) => ({
        name: `f${i}`,
        of: anyKind(random, depth - 1),
      }));
      return {
        schema: { type: 'record', name, fields: fields.map((f) => ({ name: f.name, type: f.of.schema })) },
        branch: name,
        make: (r) => {
          const made = fields.map((f) => [f.name, f.of.make(r)] as const);
          return {
            value: Object.fromEntries(made.map(([key, { value }]) => [key, value])),
            json: `{${made.map(([key, { json }]) => `"${key}":${json}`).join(',')}}`,
          };
        },
      };
    }
    case 3: {
      const name = `E${++names}`;
      return {
        schema: { type: 'enum', name, symbols: ['A', 'B', 'LONG_SYMBOL_NAME'] },
        branch: name,
        make: some(['A', 'B', 'LONG_SYMBOL_NAME'], (s) => `"${s}"`),
      };
    }
    case 4: {
      const name = `F${++names}`;
      return { schema: { type: 'fixed', name, size: 3 }, branch: name, make: some([Buffer.from([1, 2, 3])], hex) };
    }
    default:
      return n < 0 ? SCALARS[n + SCALARS.length] : unionKind(random, depth);
  }
}

export function unionKind(random: Random, depth: number): Kind {
  const branches = new Map<string, Kind>();
  if (random.below(3) > 0) branches.set('null', SCALARS[0]);
  for (let i = random.below(3) + 1; i > 0; i--) {
    const kind = anyKind(random, depth - 1);
    if (!Array.isArray(kind.schema)) branches.set(kind.branch, kind);
  }
  // A union in a union is none, and avsc makes no empty one.
  if (branches.size === 0) branches.set('null', SCALARS[0]);
  const list = [...branches.values()];
  return {
    schema: list.map(({ schema }) => schema),
    branch: 'union',
    make: (r) => {
      const branch = r.pick(list);
      const { value, json } = branch.make(r);
      return { value: value === null ? null : { [branch.branch]: value }, json };
    },
  };
}
