/**
 * How one column's values become bytes on the wire, chosen once per result from (layout, type, format, settings).
 *
 *   fixed   writes at most `maxBytes` into the buffer straight from the slot; -1 hands this value to `general`
 *   raw     the slot's own bytes after `prefix`: text and bytea
 *   general through a datum and the type's output functions: rare types, rare values
 */

import { I32 } from '../../../operators/batch/memory.ts';
import { readSlot, varlenForm } from '../../../operators/batch/slots.ts';
import { enumLabelBytes } from '../../../operators/expr/enum_types.ts';
import { outputBinary, outputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { isEnumType, OID, type Phys } from '../../../operators/types.ts';
import { binaryWriter } from './fixed_binary.ts';
import { textWriter } from './fixed_text.ts';

/** Writes the value in `slot` at `pos` and returns the position after it, or -1. */
export type FixedWriter = (buf: Buffer, pos: number, slot: number) => number;

export interface FixedField {
  write: FixedWriter;
  maxBytes: number;
}

export interface Field {
  phys: Phys;
  fixed: FixedField | null;
  raw: boolean;
  /** Bytes that stand before every raw value: jsonb's version in binary. */
  prefix: number;
  general(slot: number): Buffer;
}

/** Types whose binary form differs from their text although the slot holds text; "char" is one byte, also when it is empty. */
const TEXT_WITH_OWN_BINARY = new Set<number>([
  ...[OID.timetz, OID.money, OID.bit, OID.varbit, OID.pg_lsn, OID.tid],
  OID.char,
]);

/** `format`: 0 text, 1 binary. Types without I/O functions raise 0A000 when a value is written. */
export function fieldOf(phys: Phys, oid: number, format: number, context: EvalContext): Field {
  if (isEnumType(oid)) return enumField(phys, oid, context);
  if (format === 1) {
    const form = varlenForm(oid);
    const raw = phys === 'varlen' && (form === 'bytes' || (form === 'text' && !TEXT_WITH_OWN_BINARY.has(oid)));
    return {
      phys,
      fixed: binaryWriter(phys, oid),
      raw,
      prefix: oid === OID.jsonb ? 1 : -1,
      general: (slot) => toBuffer(outputBinary(readSlot(phys, oid, slot), oid)),
    };
  }
  return {
    phys,
    fixed: textWriter(phys, oid, context),
    // A byte of "char" beyond ASCII is shown as \ooo.
    raw: phys === 'varlen' && varlenForm(oid) === 'text' && oid !== OID.char,
    prefix: -1,
    general: (slot) => Buffer.from(outputText(readSlot(phys, oid, slot), oid, context), 'utf8'),
  };
}

/** Both forms are the label, which has at most 63 bytes. */
function enumField(phys: Phys, oid: number, context: EvalContext): Field {
  const writeLabel: FixedWriter = (buf, pos, slot) => {
    const label = enumLabelBytes(oid, I32[slot >>> 2]);
    buf.set(label, pos);
    return pos + label.length;
  };
  return {
    phys,
    fixed: { write: writeLabel, maxBytes: 63 },
    raw: false,
    prefix: -1,
    general: (slot) => Buffer.from(outputText(readSlot(phys, oid, slot), oid, context), 'utf8'),
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
