/** Helpers of the binary codecs: fixed-size reads with PostgreSQL's errors, and UTF-8 that refuses what is not UTF-8. */
import { SqlError } from '../../errors.ts';

/** A view over exactly `n` bytes. */
export function fixed(bytes: Uint8Array, n: number): DataView {
  if (bytes.length < n) throw new SqlError('08P01', 'insufficient data left in message');
  if (bytes.length > n) throw new SqlError('22P03', 'incorrect binary data format');
  return new DataView(bytes.buffer, bytes.byteOffset, n);
}

/** `n` bytes filled through a DataView. */
export function packed(n: number, fill: (view: DataView) => void): Uint8Array {
  const out = new Uint8Array(n);
  fill(new DataView(out.buffer));
  return out;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** UTF-8 to text; invalid sequences and NUL are 22021. */
export function textOfUtf8(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw invalidSequence(firstInvalid(bytes));
  }
  if (text.includes('\0')) throw invalidSequence([0]);
  return text;
}

function invalidSequence(bytes: readonly number[]): SqlError {
  const hex = bytes.map((b) => `0x${b.toString(16).padStart(2, '0')}`).join(' ');
  return new SqlError('22021', `invalid byte sequence for encoding "UTF8": ${hex}`);
}

/** The bytes PostgreSQL names in its message: the sequence that the first bad lead byte announces. */
function firstInvalid(bytes: Uint8Array): number[] {
  let i = 0;
  while (i < bytes.length) {
    const n = sequenceLength(bytes[i]);
    const sequence = [...bytes.subarray(i, i + n)];
    if (sequence.length < n || !isSequence(sequence)) return sequence;
    i += n;
  }
  return [];
}

/** Length that a lead byte announces (1 for bytes that announce nothing). */
function sequenceLength(lead: number): number {
  if ((lead & 0xe0) === 0xc0) return 2;
  if ((lead & 0xf0) === 0xe0) return 3;
  if ((lead & 0xf8) === 0xf0) return 4;
  return 1;
}

function isSequence(s: number[]): boolean {
  const [a, b] = s;
  if (s.length === 1) return a > 0 && a < 0x80;
  if (s.slice(1).some((c) => (c & 0xc0) !== 0x80)) return false;
  if (s.length === 2) return a >= 0xc2;
  if (s.length === 3) return !(a === 0xe0 && b < 0xa0) && !(a === 0xed && b > 0x9f);
  return a <= 0xf4 && !(a === 0xf0 && b < 0x90) && !(a === 0xf4 && b > 0x8f);
}
