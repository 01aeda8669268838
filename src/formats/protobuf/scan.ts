/**
 * Where a message has the fields that somebody wants.
 *
 *   bytes -> for each wanted field its occurrences, in their order: where the content of each begins and ends
 *
 * A field may come anywhere, several times, or not at all: of a singular one the last counts, of a message all are merged, of the members of a oneof only those
 * behind the last other one count. O(bytes).
 */
import { FIXED32, FIXED64, GROUP, LENGTH, malformed, type ProtobufBytes, VARINT } from './bytes.ts';
import type { Field, FieldType, Message } from './schema.ts';

/** Begin and end of each occurrence, and whether it is a list of packed values. */
export type Found = number[];
const FOUND = 3;
const NOTHING: Found = [];
/** What to look for one field costs, in characters. */
const PLACE = 4;

interface Step {
  field: Field;
  place: number;
  wire: number;
  /** It may come as a list in one occurrence. */
  packable: boolean;
  /** Places of the other members of its oneof. */
  others: number[];
}

export class Scan {
  readonly #steps = new Map<number, Step>();
  readonly #places: number;

  /** What is found of a field of `wanted` is at its position there. */
  constructor(message: Message, wanted: Field[]) {
    const siblings = message.fields.filter(
      (field) => field.oneof !== null && !wanted.includes(field) && wanted.some(({ oneof }) => oneof === field.oneof),
    );
    const all = [...wanted, ...siblings];
    this.#places = all.length;
    all.forEach((field, place) => {
      const { number, type, oneof } = field;
      this.#steps.set(number, {
        field,
        place,
        wire: wireOf(type),
        packable: isPackable(field),
        others: oneof === null ? [] : all.flatMap((other, i) => (other !== field && other.oneof === oneof ? [i] : [])),
      });
    });
  }

  scan(from: ProtobufBytes): Found[] {
    // A few bytes may be very many messages of very many fields.
    from.give(this.#places * PLACE);
    const found: Found[] = new Array(this.#places).fill(NOTHING);
    while (from.at < from.end) {
      from.nextTag();
      const { number, wire } = from;
      const end = from.skip();
      const step = this.#steps.get(number);
      if (step === undefined) continue;
      const packed = step.packable && wire === LENGTH;
      if (wire !== step.wire && !packed) {
        throw malformed(`field "${step.field.name}" has wire type ${wire}, and its type has ${step.wire}`);
      }
      for (const other of step.others) found[other] = NOTHING;
      if (found[step.place] === NOTHING) found[step.place] = [];
      found[step.place].push(from.contentAt, end, packed ? 1 : 0);
    }
    return found;
  }
}

/** Whether it may come as a list of values in one occurrence. */
export function isPackable({ type, repeated }: Field): boolean {
  const wire = wireOf(type);
  return repeated && wire !== LENGTH && wire !== GROUP;
}

export function wireOf(type: FieldType): number {
  switch (type.k) {
    case 'double':
    case 'fixed64':
    case 'sfixed64':
      return FIXED64;
    case 'float':
    case 'fixed32':
    case 'sfixed32':
      return FIXED32;
    case 'string':
    case 'bytes':
    case 'map':
      return LENGTH;
    case 'message':
      return type.delimited ? GROUP : LENGTH;
    default:
      return VARINT;
  }
}

/** What `read` gives of the one value that the occurrences of a singular field are, there being any. */
export function readOne<T>(from: ProtobufBytes, { type }: Field, found: Found, read: (from: ProtobufBytes) => T): T {
  const { bytes } = from;
  const last = found.length - FOUND;
  if (last === 0 || type.k !== 'message') return from.within(bytes, found[last], found[last + 1], () => read(from));
  // To merge messages is to read them one behind the other.
  const parts: Buffer[] = [];
  for (let i = 0; i < found.length; i += FOUND) parts.push(bytes.subarray(found[i], found[i + 1]));
  const merged = Buffer.concat(parts);
  return from.within(merged, 0, merged.length, () => read(from));
}

/** Calls `read` for each value of a repeated field. */
export function readAll(from: ProtobufBytes, found: Found, read: (from: ProtobufBytes) => void): void {
  for (let i = 0; i < found.length; i += FOUND) {
    const packed = found[i + 2] === 1;
    from.within(from.bytes, found[i], found[i + 1], () => {
      if (!packed) read(from);
      else while (from.at < from.end) read(from);
    });
  }
}
