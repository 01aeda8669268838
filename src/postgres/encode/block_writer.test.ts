/** The kernel's bytes are those of the plain writers: every type, format and setting, many rows, rows longer than a block. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { batchFromRows } from '../../../operators/batch/builder.ts';
import { pages } from '../../../operators/batch/pages.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { QUARTER_PLACES } from '../../../operators/kernels/encode_layout.ts';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { colType, OID } from '../../../operators/types.ts';
import { TextWriter } from '../copy/text_writer.ts';
import { resultColumns, TEXT_COPY } from '../testing/fake_engine.ts';
import { CONTEXTS, repeated, samples } from '../testing/values.ts';
import { Output } from '../wire/output.ts';
import { BACKEND } from '../wire/protocol.ts';
import { BlockWriter } from './block_writer.ts';
import { DataRowWriter, type RowWriter } from './row_writer.ts';

const SEED = testSeed();

/** All that a writer writes of these rows, and in how many pieces. */
function written(writer: RowWriter, oids: number[], rows: Datum[][]): { bytes: Buffer; pieces: number } {
  const arena = new Arena();
  const pieces: Buffer[] = [];
  const out = new Output({
    destroyed: false,
    write(bytes, done) {
      pieces.push(Buffer.from(bytes));
      done();
      return true;
    },
    on: () => undefined,
  });
  const batch = batchFromRows(
    oids.map((oid) => colType(oid)),
    rows,
    arena,
  );
  for (let row = 0; row < rows.length; ) row = writer.write(out, batch, row, rows.length, Number.POSITIVE_INFINITY);
  out.flush();
  arena.release();
  return { bytes: Buffer.concat(pieces), pieces: pieces.length };
}

function same(oids: number[], rows: Datum[][], format: number, context: EvalContext): number {
  const columns = resultColumns(oids.map((oid, i) => [`c${i}`, oid]));
  const formats = [format];
  const fields = new DataRowWriter(columns, formats, context);
  const block = BlockWriter.over(fields, { columns, formats, context, type: BACKEND.dataRow, lines: null });
  const got = written(block, oids, rows);
  const about = () => `types ${oids}, format ${format}, ${context.timeZone} ${context.dateStyle}, SEED=${SEED}`;
  assert.ok(got.bytes.equals(written(fields, oids, rows).bytes), about());
  if (format === 0) {
    for (const options of [TEXT_COPY, { ...TEXT_COPY, delimiter: '|', null: 'a longer null' }]) {
      const plain = new TextWriter(columns, options, context);
      const { lines } = plain;
      assert.ok(lines !== null);
      const shape = { columns, formats: [], context, type: BACKEND.copyData, lines };
      const copied = written(BlockWriter.over(plain, shape), oids, rows).bytes;
      assert.ok(copied.equals(written(plain, oids, rows).bytes), `COPY of ${about()}`);
    }
  }
  return got.pieces;
}

test(`one column of each type (SEED=${SEED})`, () => {
  const used = pages.usedPages;
  const random = new Random(SEED);
  for (const overrides of CONTEXTS.slice(0, 2)) {
    const context = defaultContext(overrides);
    for (const [oid, values] of samples(random)) {
      const short = values.filter((value) => typeof value !== 'string' || value.length < 1000);
      const rows = repeated(short)
        .slice(0, 150)
        .map((value) => [value]);
      for (const format of [0, 1]) same([oid], rows, format, context);
    }
  }
  assert.equal(pages.usedPages, used);
});

test(`rows of many columns with NULLs (SEED=${SEED})`, () => {
  const random = new Random(SEED);
  const plain = [OID.bool, OID.int2, OID.int4, OID.int8, OID.date, OID.timestamptz, OID.text, OID.uuid, OID.timestamp];
  const all = new Map(samples(random));
  const value = (oid: number): Datum => {
    const values = all.get(oid) as Datum[];
    // Dates and times of four-digit years, and texts that are no longer than a block.
    const found = values[Math.floor(random.next() * Math.min(values.length, 150))];
    return random.chance(0.2) || (typeof found === 'string' && found.length > 1000) ? null : found;
  };
  for (let round = 0; round < 4; round++) {
    const oids = Array.from({ length: 1 + random.below(8) }, () => plain[random.below(plain.length)]);
    const rows = Array.from({ length: 700 }, () => oids.map(value));
    const context = defaultContext(CONTEXTS[round % 3]);
    for (const format of [0, 1]) same(oids, rows, format, context);
  }
});

test('many rows fill blocks, and rows around the size of a block go either way', () => {
  const context = defaultContext({ timeZone: 'Europe/Paris' });
  const plain = Array.from({ length: 20_000 }, (_, i): Datum[] => [BigInt(i), `row ${i}`, BigInt(i) * 977_000_000n]);
  const pieces = same([OID.int8, OID.text, OID.timestamptz], plain, 0, context);
  assert.ok(pieces <= 20, `${pieces} pieces`);
  for (const length of [32_000, 65_490, 65_510, 65_520, 200_000]) {
    const rows = Array.from({ length: 70 }, (_, i): Datum[] => [
      i,
      i % 10 === 3 ? '\t\\'.repeat(length / 4) : 'x'.repeat(i % 7 === 0 ? length : 5),
    ]);
    for (const format of [0, 1]) same([OID.int4, OID.text], rows, format, context);
  }
});

test('times of one row whose offsets cannot be kept together', () => {
  const context = defaultContext({ timeZone: 'Europe/Paris' });
  const apart = BigInt(QUARTER_PLACES) * 900_000_000n;
  const rows = Array.from({ length: 200 }, (_, i): Datum[] => {
    const time = BigInt(i) * 977_000_000n;
    return [time, i % 3 === 0 ? time + apart : time, i % 5 === 0 ? null : time - 4n * apart];
  });
  same([OID.timestamptz, OID.timestamptz, OID.timestamptz], rows, 0, context);
});
