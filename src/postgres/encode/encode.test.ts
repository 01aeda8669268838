import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { batchFromRows } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { inputBinary, inputText, outputBinary, outputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { colType, OID } from '../../../operators/types.ts';
import { resultColumns } from '../testing/fake_engine.ts';
import { CONTEXTS, repeated, samples } from '../testing/values.ts';
import { values } from '../testing/wire_client.ts';
import { Output } from '../wire/output.ts';
import { DataRowWriter } from './row_writer.ts';

const SEED = testSeed();

/** The values of one column as the encoder writes them. */
function encode(oid: number, column: Datum[], format: number, context: EvalContext): (Buffer | null)[] {
  const arena = new Arena();
  const socket = new PassThrough({ highWaterMark: 1 << 30 });
  const out = new Output(socket);
  const batch = batchFromRows(
    [colType(oid)],
    column.map((value) => [value]),
    arena,
  );
  const writer = new DataRowWriter(resultColumns([['c', oid]]), [format], context);
  let row = 0;
  while (row < column.length) row = writer.write(out, batch, row, column.length, Number.POSITIVE_INFINITY);
  out.flush();
  arena.release();
  const bytes: Buffer = socket.read() ?? Buffer.alloc(0);
  const got: (Buffer | null)[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32BE(at + 1);
    got.push(values(bytes.subarray(at + 5, at + 1 + length))[0]);
    at += 1 + length;
  }
  return got;
}

test(`text and binary are what the types' output functions give (SEED=${SEED})`, () => {
  const random = new Random(SEED);
  for (const overrides of CONTEXTS) {
    const context = defaultContext(overrides);
    // Short and long: few rows take the plain loop, many the generated one.
    for (const [oid, column] of samples(random).flatMap(([oid, values]) => [
      [oid, values.slice(0, 40)] as const,
      [oid, repeated(values)] as const,
    ])) {
      const text = encode(oid, column, 0, context);
      const binary = encode(oid, column, 1, context);
      column.forEach((value, i) => {
        const about = () =>
          `type ${oid}, value ${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))?.slice(0, 200)}, SEED=${SEED}`;
        assert.equal(
          text[i]?.toString('utf8') ?? null,
          value === null ? null : outputText(value, oid, context),
          about(),
        );
        assert.deepEqual(binary[i], value === null ? null : Buffer.from(outputBinary(value, oid)), about());
      });
    }
  }
});

test('what is written is read back, text and binary', () => {
  const context = defaultContext({ timeZone: 'Europe/Paris' });
  for (const [oid, column] of samples(new Random(SEED))) {
    for (const value of column) {
      if (value === null) continue;
      assert.deepEqual(inputText(outputText(value, oid, context), colType(oid), context), value);
      assert.deepEqual(inputBinary(outputBinary(value, oid), oid), value);
    }
  }
});

test('rows larger than a chunk, and rows that end exactly at its end', () => {
  const context = defaultContext();
  for (const length of [65520, 65521, 65522, 65523, 65524, 65525, 65526, 65536, 131072, 1000000]) {
    const column = ['y', 'x'.repeat(length), 'z', null];
    assert.deepEqual(
      encode(OID.text, column, 0, context).map((value) => value?.length ?? null),
      [1, length, 1, null],
    );
  }
});
