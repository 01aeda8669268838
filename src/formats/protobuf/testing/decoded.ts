/** Messages through the decoder, for tests. */
import { Arena } from '../../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../../operators/batch/builder.ts';
import { BYTES } from '../../../../operators/batch/memory.ts';
import type { Datum } from '../../../../operators/datum.ts';
import type { ColType } from '../../../../operators/types.ts';
import { Schemas } from '../../../registry/schemas.ts';
import { type RawBatch, ZEROS_BEHIND } from '../../../sources/source.ts';
import type { BadRow, Decoder, DecoderSpec, SourceColumn } from '../../format.ts';
import { exactProtobufDecoder, protobufDecoder } from '../index.ts';
import type { ProtobufOptions } from '../options.ts';

export function columnOf(name: string, type: ColType, notNull = false): SourceColumn {
  return { name, type, notNull, origin: { k: 'field', name } };
}

/** Values alone, in the shared memory or elsewhere. */
export function rawOf(messages: (Buffer | null)[], arena: Arena | null): RawBatch {
  const all = Buffer.concat([Buffer.from('?'), ...messages.filter((one) => one !== null)]);
  let at = 1;
  const places = messages.map((one) => {
    const start = at;
    at += one?.length ?? 0;
    return one === null ? [-1, -1] : [start, at];
  });
  const address = arena?.alloc(all.length + ZEROS_BEHIND);
  if (address !== undefined) {
    BYTES.fill(0, address, address + all.length + ZEROS_BEHIND);
    all.copy(BYTES, address);
  }
  return {
    partition: 0,
    baseOffset: 0n,
    nextOffset: BigInt(messages.length),
    n: messages.length,
    bytes: address === undefined ? all : BYTES.subarray(address, address + all.length),
    ...(address === undefined ? {} : { address }),
    keyStart: new Int32Array(messages.length).fill(-1),
    keyEnd: new Int32Array(messages.length).fill(-1),
    valueStart: Int32Array.from(places, ([start]) => start),
    valueEnd: Int32Array.from(places, ([, end]) => end),
    offset: Float64Array.from(messages, (_, i) => i),
    timestamp: new Float64Array(messages.length),
    headers: () => [],
  };
}

/** Of each message its row, or what is wrong with it. */
export type Decoded = (Datum[] | BadRow)[];

export function decodedBy(decoder: Decoder, { columns, needed }: DecoderSpec, raw: RawBatch): Decoded {
  const arena = new Arena();
  const types = needed.map((c) => columns[c].type);
  const out = new BatchBuilder(types, arena, 1);
  const bad = new Map(decoder.decode(raw, 0, raw.n, out, 0n).map((one) => [one.index, one]));
  const batch = out.build();
  let row = 0;
  const rows = Array.from({ length: raw.n }, (_, i) => bad.get(i) ?? readRow(batch, row++));
  if (row !== batch.n) throw new Error(`${batch.n} rows of ${raw.n} messages, ${bad.size} of them bad`);
  arena.release();
  decoder.release();
  return rows;
}

/** By both readers, which must agree. `form`: with a schema, or with those of a registry. */
export function decoded(
  columns: SourceColumn[],
  form: Pick<ProtobufOptions, 'schema' | 'message'>,
  messages: (Buffer | null)[],
  schemas = new Schemas(),
): Decoded {
  const spec: DecoderSpec = { columns, needed: columns.map((_, i) => i) };
  const options: ProtobufOptions = { ...form, registry: null, key: 'json' };
  const arena = new Arena();
  const exact = decodedBy(exactProtobufDecoder(spec, options, schemas), spec, rawOf(messages, null));
  const fast = decodedBy(protobufDecoder(spec, options, schemas), spec, rawOf(messages, arena));
  arena.release();
  const shown = (rows: Decoded) =>
    JSON.stringify(rows, (_, v) => (typeof v === 'bigint' ? `${v}n` : Object.is(v, -0) ? '-0' : v));
  if (shown(exact) !== shown(fast)) throw new Error(`exactly ${shown(exact)}, generated ${shown(fast)}`);
  return exact;
}
