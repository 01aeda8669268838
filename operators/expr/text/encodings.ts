/** encode / decode: hex, base64 (lines of 76 characters) and escape; and the character sets that convert_from / _to know. */
import { SqlError } from '../../errors.ts';
import { parseEscape, parseHex, toEscape, toHex } from '../io/bytea.ts';
import { textOfUtf8, utf8 } from '../io/wire.ts';

interface Encoding {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const LINE = 76;

function encodeBase64(bytes: Uint8Array): string {
  const flat = Buffer.from(bytes).toString('base64');
  const lines = flat.match(/.{1,76}/g) ?? [];
  const complete = flat.length > 0 && flat.length % LINE === 0 && bytes.length % 3 === 0;
  return lines.join('\n') + (complete ? '\n' : '');
}

function decodeBase64(text: string): Uint8Array {
  const out: number[] = [];
  let buffer = 0;
  let count = 0;
  let padding = 0;
  for (const c of text) {
    if (c === ' ' || c === '\t' || c === '\n' || c === '\r') continue;
    let value = 0;
    if (c === '=') {
      if (padding === 0) {
        if (count !== 2 && count !== 3) throw new SqlError('22023', 'unexpected "=" while decoding base64 sequence');
        padding = count === 2 ? 2 : 1;
      }
    } else {
      value = BASE64.indexOf(c);
      if (value < 0) throw new SqlError('22023', `invalid symbol "${c}" found while decoding base64 sequence`);
    }
    buffer = (buffer << 6) | value;
    if (++count < 4) continue;
    out.push((buffer >> 16) & 255);
    if (padding < 2) out.push((buffer >> 8) & 255);
    if (padding < 1) out.push(buffer & 255);
    buffer = 0;
    count = 0;
  }
  if (count !== 0) {
    throw new SqlError('22023', 'invalid base64 end sequence', {
      hint: 'Input data is missing padding, is truncated, or is otherwise corrupted.',
    });
  }
  return Uint8Array.from(out);
}

const ENCODINGS: Record<string, Encoding> = {
  hex: { encode: toHex, decode: parseHex },
  base64: { encode: encodeBase64, decode: decodeBase64 },
  escape: {
    encode: (bytes) => toEscape(bytes, (byte) => byte === 0 || byte > 127),
    decode: (text) => parseEscape(text, () => new SqlError('22P02', 'invalid input syntax for type bytea')),
  },
};

/** An encoding by name in any case; unknown: 22023. */
export function encodingOf(name: string): Encoding {
  const encoding = ENCODINGS[name.toLowerCase()];
  if (!encoding) throw new SqlError('22023', `unrecognized encoding: "${name}"`);
  return encoding;
}

/** A character set's name without case and punctuation. */
function charset(name: string, role: 'source' | 'destination'): 'utf8' | 'latin1' {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (plain === 'utf8' || plain === 'unicode') return 'utf8';
  if (plain === 'latin1' || plain === 'iso88591') return 'latin1';
  throw new SqlError('22023', `invalid ${role} encoding name "${name}"`);
}

/** convert_from(bytes, encoding) */
export function convertFrom(bytes: Uint8Array, encoding: string): string {
  if (charset(encoding, 'source') === 'utf8') return textOfUtf8(bytes);
  return textOfUtf8(utf8(Buffer.from(bytes).toString('latin1')));
}

/** convert_to(text, encoding) */
export function convertTo(text: string, encoding: string): Uint8Array {
  if (charset(encoding, 'destination') === 'utf8') return utf8(text);
  for (const c of text) {
    if (c.codePointAt(0)! < 256) continue;
    const hex = [...utf8(c)].map((b) => `0x${b.toString(16)}`).join(' ');
    throw new SqlError(
      '22P05',
      `character with byte sequence ${hex} in encoding "UTF8" has no equivalent in encoding "LATIN1"`,
    );
  }
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}
