/** What CREATE and ALTER SEQUENCE say as what a sequence counts: defaults by type and direction, and what does not go together, in PostgreSQL's order. */
import { SqlError } from '../../operators/errors.ts';
import { OID } from '../../operators/types.ts';
import type { SequenceOptions } from '../../planner/parse/ast.ts';
import { formatType, resolveTypeName } from '../../planner/types/type_name.ts';
import type { SequenceParameters } from '../catalog/objects.ts';

const BITS: Record<number, bigint> = { [OID.int2]: 15n, [OID.int4]: 31n, [OID.int8]: 63n };

const least = (type: number): bigint => -(1n << BITS[type]);
const most = (type: number): bigint => (1n << BITS[type]) - 1n;

const invalid = (message: string): SqlError => new SqlError('22023', message);

/** int2, int4 or int8; `what`: whose type it is. */
export function sequenceType(type: number, what: 'sequence' | 'identity column'): number {
  if (type in BITS) return type;
  throw invalid(`${what} type must be smallint, integer, or bigint`);
}

/** `before`: the parameters that an ALTER changes; `ofColumn`: the type of the column whose sequence it is. */
export function sequenceParameters(
  options: SequenceOptions,
  before: SequenceParameters | null,
  ofColumn: number | null = null,
): SequenceParameters {
  const said = options.type === undefined ? ofColumn : sequenceType(resolveTypeName(options.type).oid, 'sequence');
  const type = said ?? before?.type ?? OID.int8;
  const increment = options.increment ?? before?.increment ?? 1n;
  if (increment === 0n) throw invalid('INCREMENT must not be zero');
  const up = increment > 0n;
  // A limit that is that of the type follows it to another type.
  const atMost = before !== null && said !== null && before.max === most(before.type);
  const atLeast = before !== null && said !== null && before.min === least(before.type);
  const max = limit(options.max, atMost ? null : (before?.max ?? null), up || atMost ? most(type) : -1n);
  checkRange('MAXVALUE', max, type);
  const min = limit(options.min, atLeast ? null : (before?.min ?? null), !up || atLeast ? least(type) : 1n);
  checkRange('MINVALUE', min, type);
  if (min >= max) throw invalid(`MINVALUE (${min}) must be less than MAXVALUE (${max})`);
  const start = options.start ?? before?.start ?? (up ? min : max);
  checkWithin('START', start, min, max);
  const cache = options.cache ?? before?.cache ?? 1n;
  if (cache <= 0n) throw invalid(`CACHE (${cache}) must be greater than zero`);
  return { type, start, increment, min, max, cache, cycle: options.cycle ?? before?.cycle ?? false };
}

function limit(said: bigint | 'none' | undefined, before: bigint | null, usual: bigint): bigint {
  return said === 'none' ? usual : (said ?? before ?? usual);
}

function checkRange(word: string, value: bigint, type: number): void {
  if (value >= least(type) && value <= most(type)) return;
  throw invalid(`${word} (${value}) is out of range for sequence data type ${formatType(type)}`);
}

/** `word`: what the value is said by. */
export function checkWithin(word: 'START' | 'RESTART', value: bigint, min: bigint, max: bigint): void {
  if (value < min) throw invalid(`${word} value (${value}) cannot be less than MINVALUE (${min})`);
  if (value > max) throw invalid(`${word} value (${value}) cannot be greater than MAXVALUE (${max})`);
}
