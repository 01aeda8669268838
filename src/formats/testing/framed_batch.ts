/**
 * Messages as a batch for the tests of decoders: each stands between bytes that would go on with it if a reader ran on.
 *
 *   bytes    BEFORE key BEHIND BEFORE value BEHIND ...      what is null has no place: -1, -1
 */
import type { Arena } from '../../../operators/batch/arena.ts';
import { BYTES } from '../../../operators/batch/memory.ts';
import type { ColType } from '../../../operators/types.ts';
import { type Header, type RawBatch, ZEROS_BEHIND } from '../../sources/source.ts';
import type { SourceColumn } from '../format.ts';

export interface TestMessage {
  key?: Uint8Array | string | null;
  value: Uint8Array | string | null;
  headers?: Header[];
  /** Milliseconds since 1970; not given: 0. */
  time?: number;
}

/** More digits of a number, and the end of a text and an object. */
const BEFORE = Buffer.from('1');
const BEHIND = Buffer.from('1,"}');

/** `from`: the offset of the first. */
export function framedBatch(messages: TestMessage[], { partition = 0, from = 0 } = {}): RawBatch {
  const parts: Buffer[] = [];
  let at = 0;
  const put = (said: Uint8Array | string | null | undefined): [start: number, end: number] => {
    if (said == null) return [-1, -1];
    const bytes = Buffer.from(said as string);
    parts.push(BEFORE, bytes, BEHIND);
    const start = at + BEFORE.length;
    at = start + bytes.length + BEHIND.length;
    return [start, start + bytes.length];
  };
  const places = messages.map(({ key, value }) => ({ key: put(key), value: put(value) }));
  return {
    partition,
    baseOffset: BigInt(from),
    nextOffset: BigInt(from + messages.length),
    n: messages.length,
    bytes: Buffer.concat(parts),
    keyStart: Int32Array.from(places, ({ key }) => key[0]),
    keyEnd: Int32Array.from(places, ({ key }) => key[1]),
    valueStart: Int32Array.from(places, ({ value }) => value[0]),
    valueEnd: Int32Array.from(places, ({ value }) => value[1]),
    offset: Float64Array.from(messages, (_, i) => from + i),
    timestamp: Float64Array.from(messages, ({ time = 0 }) => time),
    headers: (i) => messages[i].headers ?? [],
  };
}

/** The batch with its bytes in the shared memory, as long as the arena has them. */
export function inMemory(raw: RawBatch, arena: Arena): RawBatch {
  const { length } = raw.bytes;
  const address = arena.alloc(length + ZEROS_BEHIND);
  BYTES.fill(0, address, address + length + ZEROS_BEHIND);
  BYTES.set(raw.bytes, address);
  return { ...raw, bytes: BYTES.subarray(address, address + length), address };
}

/** A column that takes the field of its name. */
export function columnOf(name: string, type: ColType, notNull = false): SourceColumn {
  return { name, type, notNull, origin: { k: 'field', name } };
}
