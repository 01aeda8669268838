/**
 * Which message of its schema a message in Confluent's form is: numbers behind the schema id, as zigzag varints.
 *
 *   how many | which of the file | which of those within it | ...           0 alone is the first of the file, which most are
 */
import { malformed, type ProtobufBytes } from './bytes.ts';

const FIRST = [0];
/** As deep as messages nest. */
const MOST_NUMBERS = 100;

export function readPath(from: ProtobufBytes): number[] {
  const count = readNumber(from);
  if (count === 0) return FIRST;
  if (count > MOST_NUMBERS) throw malformed(`it is of a type ${count} levels deep`);
  return Array.from({ length: count }, () => readNumber(from));
}

function readNumber(from: ProtobufBytes): number {
  from.readVarint();
  const { lo, hi } = from;
  if (hi !== 0 || (lo & 1) !== 0) throw malformed('it does not say which message of the schema it is');
  return lo >>> 1;
}
