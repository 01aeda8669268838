/** What the reader of JSON makes of messages, for its tests: each batch is read twice, from bytes of its own and where it lies in the shared memory. */
import assert from 'node:assert/strict';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow, weightOf } from '../../../operators/batch/builder.ts';
import { BYTES, memory, PAGE_BYTES } from '../../../operators/batch/memory.ts';
import { pages } from '../../../operators/batch/pages.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import '../../../operators/expr/functions/index.ts';
import type { Expr } from '../../../operators/expr/ir.ts';
import { colType, OID } from '../../../operators/types.ts';
import { type RawBatch, ZEROS_BEHIND } from '../../sources/source.ts';
import type { BadRow, DecoderSpec, SourceColumn } from '../format.ts';
import { jsonDecoder } from '../json/index.ts';
import { framedBatch, type TestMessage } from './framed_batch.ts';

export function rawOf(messages: TestMessage[]): RawBatch {
  const timed = messages.map((message) => ({ time: 946_684_800_000 + 5, ...message }));
  return framedBatch(timed, { partition: 3, from: 100 });
}

interface Decoded {
  rows: Datum[][];
  weights: number[];
  bad: BadRow[];
}

/** The end of the memory, but for its last page: addresses beyond 2^31, and what stands there is nobody's. */
const PLACE = memory.buffer.byteLength - PAGE_BYTES - (1 << 22);
assert.ok(pages.lend(PLACE, 64));

/** The batch with its bytes in the shared memory, between others. */
function inPlace(raw: RawBatch): RawBatch {
  const { length } = raw.bytes;
  const address = PLACE + 1 + (length % 16);
  BYTES.fill('"', address - 1, address);
  raw.bytes.copy(BYTES, address);
  BYTES.fill(0, address + length, address + length + ZEROS_BEHIND);
  BYTES.fill('"}', address + length + ZEROS_BEHIND, address + length + 2 * ZEROS_BEHIND);
  return { ...raw, bytes: Buffer.from(memory.buffer, address, length), address };
}

export function decode(spec: DecoderSpec, records: TestMessage[], now = 0n): Decoded {
  const raw = rawOf(records);
  const copied = decodeBatch(spec, raw, now);
  assert.deepEqual(decodeBatch(spec, inPlace(raw), now), copied);
  return copied;
}

function decodeBatch(spec: DecoderSpec, raw: RawBatch, now: bigint): Decoded {
  const arena = new Arena();
  const out = new BatchBuilder(
    spec.needed.map((i) => spec.columns[i].type),
    arena,
    2,
  );
  const decoder = jsonDecoder(spec);
  const bad = decoder.decode(raw, 0, raw.n, out, now);
  const batch = out.build();
  const rows = Array.from({ length: batch.n }, (_, i) => readRow(batch, i));
  if (!decoder.anyNull) assert.ok(!rows.flat().includes(null));
  const weights = rows.map((_, i) => weightOf(batch, i));
  arena.release();
  return { rows, weights, bad };
}

export function specOf(columns: SourceColumn[], needed = columns.map((_, i) => i)): DecoderSpec {
  return { columns, needed };
}

export const NOW: Expr = { k: 'call', fn: 'now()', args: [], t: colType(OID.timestamptz), strict: true };

export function defaulted(column: SourceColumn, expr: Expr): SourceColumn {
  return { ...column, default: { expr, context: defaultContext(), clocked: expr === NOW } };
}
