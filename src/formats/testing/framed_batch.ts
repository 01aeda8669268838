/**
 * Messages as a batch for the tests of decoders: each stands between bytes that would go on with it if a reader ran on.
 *
 *   bytes    BEFORE key BEHIND ... BEFORE value BEHIND ...      what is null has no place: -1, -1
 */
import type { Arena } from '../../../operators/batch/arena.ts';
import { BYTES } from '../../../operators/batch/memory.ts';
import type { ColType } from '../../../operators/types.ts';
import { messageBatch } from '../../sources/message_batch.ts';
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
  const framed = (said: Uint8Array | string | null | undefined) =>
    said == null ? null : Buffer.concat([BEFORE, Buffer.from(said as string), BEHIND]);
  const raw = messageBatch(
    partition,
    from,
    messages.map(({ key, value, headers = [], time = 0 }) => ({
      key: framed(key),
      value: framed(value),
      timestamp: time,
      headers,
    })),
  );
  const starts = (places: Int32Array) => places.map((at) => (at < 0 ? at : at + BEFORE.length));
  const ends = (places: Int32Array) => places.map((at) => (at < 0 ? at : at - BEHIND.length));
  return {
    ...raw,
    keyStart: starts(raw.keyStart),
    keyEnd: ends(raw.keyEnd),
    valueStart: starts(raw.valueStart),
    valueEnd: ends(raw.valueEnd),
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
