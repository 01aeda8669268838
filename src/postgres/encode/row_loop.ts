/**
 * Generates the loop that writes many rows of one shape: columns are unrolled, so that each writer is called from a place of its
 * own and can be inlined there. Without it all writers share one call site, which V8 cannot look through.
 *
 *   shape (one entry a column: fixed width and name, raw, general) -> loop, made once (new Function: some 0.1 ms) and kept
 */

import type { Batch } from '../../../operators/batch/batch.ts';
import { U8, U32 } from '../../../operators/batch/memory.ts';
import { PHYS_WIDTH } from '../../../operators/types.ts';
import type { Output } from '../wire/output.ts';
import type { Field, FixedWriter } from './field.ts';
import { copyFromMemory, putLength } from './field_bytes.ts';

/** Writes rows `from` to `to`; stops early at a blocked output or at `sentLimit`. Returns the first row not written. */
export type RowLoop = (out: Output, batch: Batch, from: number, to: number, sentLimit: number) => number;

/** Writes the value of a column at out.pos, with its length, and reserves room for the rest of the row. */
export type FieldWriter = (out: Output, column: number, slot: number) => void;

type Factory = (
  u8: Uint8Array,
  u32: Uint32Array,
  writers: (FixedWriter | null)[],
  putLength: (buf: Buffer, pos: number, length: number) => void,
  copy: (buf: Buffer, pos: number, address: number, length: number) => void,
  general: FieldWriter,
) => RowLoop;

const MAX_SHAPES = 256;
const factories = new Map<string, Factory>();

function columnSource(field: Field, i: number, fixedBytes: number): string {
  const slot = `const slot = d${i} + row * ${PHYS_WIDTH[field.phys]};`;
  const slow = (call: string): string => `out.pos = pos; ${call}(out, ${i}, slot); buf = out.buf; pos = out.pos;`;
  let value: string;
  if (field.fixed !== null) {
    value = `${slot}
      const end = w${i}(buf, pos + 4, slot);
      if (end >= 0) {
        buf[pos] = 0; buf[pos + 1] = 0; buf[pos + 2] = 0; buf[pos + 3] = end - pos - 4;
        pos = end;
      } else { ${slow('general')} }`;
  } else if (field.raw) {
    const extra = field.prefix < 0 ? 0 : 1;
    value = `${slot}
      const length = u32[slot >>> 2];
      const address = length <= 12 ? slot + 4 : u32[(slot + 8) >>> 2];
      if (pos + length + ${fixedBytes + extra} > buf.length) {
        out.pos = pos; out.reserve(length + ${fixedBytes + extra}); buf = out.buf; pos = out.pos;
      }
      putLength(buf, pos, length + ${extra});
      pos += 4;
      ${extra === 1 ? `buf[pos++] = ${field.prefix};` : ''}
      copy(buf, pos, address, length);
      pos += length;`;
  } else value = `${slot} ${slow('general')}`;
  return `
    if (v${i} !== 0 && u8[v${i} + row] === 0) {
      buf[pos] = 255; buf[pos + 1] = 255; buf[pos + 2] = 255; buf[pos + 3] = 255;
      pos += 4;
    } else { ${value} }`;
}

function source(fields: Field[], type: number, fixedBytes: number): string {
  const each = (make: (i: number) => string): string => fields.map((_, i) => make(i)).join(' ');
  return `
  ${each((i) => `const w${i} = writers[${i}];`)}
  return function rows(out, batch, from, to, sentLimit) {
    ${each((i) => `const d${i} = batch.columns[${i}].data; const v${i} = batch.columns[${i}].valid;`)}
    for (let row = from; row < to; row++) {
      if (out.blocked || out.sent >= sentLimit) return row;
      out.reserve(${fixedBytes});
      let buf = out.buf;
      let pos = out.pos;
      buf[pos] = ${type}; buf[pos + 5] = ${fields.length >>> 8}; buf[pos + 6] = ${fields.length & 255};
      pos += 7;
      ${fields.map((field, i) => columnSource(field, i, fixedBytes)).join('')}
      out.pos = pos;
      out.end();
    }
    return to;
  };`;
}

/** All of a field that its source depends on, and the name of its writer: call sites of different writers are kept apart. */
function shapeOf({ phys, fixed, raw, prefix }: Field): string {
  return `${fixed !== null ? fixed.write.name : raw ? `raw${prefix}` : 'general'}:${PHYS_WIDTH[phys]}`;
}

/** The loop for these fields; `fixedBytes` is the room a row needs besides its long values. */
export function rowLoop(fields: Field[], type: number, fixedBytes: number, general: FieldWriter): RowLoop {
  const shape = `${type} ${fixedBytes} ${fields.map(shapeOf).join(' ')}`;
  let factory = factories.get(shape);
  if (factory === undefined) {
    factory = new Function(
      'u8',
      'u32',
      'writers',
      'putLength',
      'copy',
      'general',
      source(fields, type, fixedBytes),
    ) as Factory;
    factories.set(shape, factory);
    if (factories.size > MAX_SHAPES) factories.delete(factories.keys().next().value as string);
  }
  return factory(
    U8,
    U32,
    fields.map((field) => field.fixed?.write ?? null),
    putLength,
    copyFromMemory,
    general,
  );
}
