/** Messages through the decoder, for tests. */
import { Arena } from '../../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../../operators/batch/builder.ts';
import type { Datum } from '../../../../operators/datum.ts';
import { Schemas } from '../../../registry/schemas.ts';
import type { RawBatch } from '../../../sources/source.ts';
import type { BadRow, Decoder, DecoderSpec, SourceColumn } from '../../format.ts';
import { framedBatch, inMemory } from '../../testing/framed_batch.ts';
import { exactProtobufDecoder, protobufDecoder } from '../index.ts';
import type { ProtobufOptions } from '../options.ts';

/** Of each message its row, or what is wrong with it. */
export type Decoded = (Datum[] | BadRow)[];

function decodedBy(decoder: Decoder, { columns, needed }: DecoderSpec, raw: RawBatch): Decoded {
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
  const raw = framedBatch(messages.map((value) => ({ value })));
  const exact = decodedBy(exactProtobufDecoder(spec, options, schemas), spec, raw);
  const fast = decodedBy(protobufDecoder(spec, options, schemas), spec, inMemory(raw, arena));
  arena.release();
  const shown = (rows: Decoded) =>
    JSON.stringify(rows, (_, v) => (typeof v === 'bigint' ? `${v}n` : Object.is(v, -0) ? '-0' : v));
  if (shown(exact) !== shown(fast)) throw new Error(`exactly ${shown(exact)}, generated ${shown(fast)}`);
  return exact;
}
