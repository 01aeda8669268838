/**
 * Text and binary of the string types: text, varchar, bpchar, name, "char", unknown, cstring, refcursor.
 *
 * Lengths count characters (code points), except name, which keeps 63 bytes. A bpchar datum is blank-padded to its length.
 * "char" is one byte, held as a string of one code unit 1..255, or '' for byte 0; bytes above 127 show as \ooo.
 */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { codePointLength, firstCodePoints } from '../text/code_points.ts';
import { registerIo, type TypeIo } from './registry.ts';
import { textOfUtf8, utf8 } from './wire.ts';

const VARHDRSZ = 4;
const NAME_BYTES = 63;

/** Cuts or refuses text longer than `max` characters; trailing blanks may always be cut. */
function limitLength(text: string, max: number, explicit: boolean, type: string): string {
  if (text.length <= max || codePointLength(text) <= max) return text;
  const kept = firstCodePoints(text, max);
  if (!explicit && /[^ ]/.test(text.slice(kept.length))) {
    throw new SqlError('22001', `value too long for type ${type}(${max})`);
  }
  return kept;
}

/** varchar(n) coercion. */
export function applyVarcharTypmod(text: string, typmod: number, explicit: boolean): string {
  if (typmod < VARHDRSZ) return text;
  return limitLength(text, typmod - VARHDRSZ, explicit, 'character varying');
}

/** char(n) coercion: cuts or pads with blanks. */
export function applyBpcharTypmod(text: string, typmod: number, explicit: boolean): string {
  if (typmod < VARHDRSZ) return text;
  const max = typmod - VARHDRSZ;
  const t = limitLength(text, max, explicit, 'character');
  return t + ' '.repeat(max - codePointLength(t));
}

/** Cuts a name to 63 bytes at a character boundary. */
export function truncateName(text: string): string {
  if (text.length * 3 <= NAME_BYTES) return text;
  const bytes = utf8(text);
  if (bytes.length <= NAME_BYTES) return text;
  let end = NAME_BYTES;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return textOfUtf8(bytes.subarray(0, end));
}

/** "char" input: the first byte, or \ooo. */
export function parseChar(text: string): string {
  if (/^\\[0-7]{3}$/.test(text)) return byteToChar(Number.parseInt(text.slice(1), 8) & 255);
  return byteToChar(text === '' ? 0 : utf8(text)[0]);
}

/** "char" output. */
export function charToText(d: string): string {
  if (d === '') return '';
  const byte = d.charCodeAt(0);
  return byte < 128 ? d : `\\${byte.toString(8).padStart(3, '0')}`;
}

export function byteToChar(byte: number): string {
  return byte === 0 ? '' : String.fromCharCode(byte);
}

const plain: TypeIo = {
  in: (text) => text,
  out: (d: string) => d,
  recv: (bytes) => textOfUtf8(bytes),
  send: (d: string) => utf8(d),
};

registerIo(OID.text, plain);
registerIo(OID.unknown, plain);
registerIo(OID.cstring, plain);
registerIo(OID.refcursor, plain);
registerIo(OID.pg_node_tree, plain);
registerIo(OID.varchar, {
  ...plain,
  typmod: (d: string, typmod, explicit) => applyVarcharTypmod(d, typmod, explicit),
});
registerIo(OID.bpchar, {
  ...plain,
  typmod: (d: string, typmod, explicit) => applyBpcharTypmod(d, typmod, explicit),
});
registerIo(OID.name, { ...plain, in: truncateName });
registerIo(OID.char, {
  in: parseChar,
  out: (d: string) => charToText(d),
  recv: (bytes) => byteToChar(bytes[0] ?? 0),
  send: (d: string) => Uint8Array.of(d === '' ? 0 : d.charCodeAt(0)),
});
