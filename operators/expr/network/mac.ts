/**
 * MAC addresses of six bytes (macaddr) and of eight (macaddr8, EUI-64). The datum is PostgreSQL's text, 08:00:2b:01:02:03, whose
 * order as text is that of the bytes. Six bytes become eight with ff:fe between the halves.
 */
import { SqlError } from '../../errors.ts';

export type MacKind = 'macaddr' | 'macaddr8';

const HEX = '[0-9a-fA-F]';
/** macaddr: six numbers of which leading zeros may be left out, or of two digits with less between them. */
const NUMBERS = [':', '-'].map((between) => new RegExp(`^${Array(6).fill(`(${HEX}+)`).join(between)}$`));
const PAIR = `(${HEX}{1,2})`;
const PAIRS = [
  ['', '', ':', '', ''],
  ['', '', '-', '', ''],
  ['', '.', '', '.', ''],
  ['', '-', '', '-', ''],
  ['', '', '', '', ''],
].map((between) => new RegExp(`^${PAIR}${between.map((b) => (b === '' ? '' : `\\${b}`) + PAIR).join('')}$`));
/** macaddr8: pairs of digits, between any two of them the one separator or nothing. */
const PAIRS8 = [':', '-', '.'].map((b) => new RegExp(`^${HEX}{2}(?:\\${b}?${HEX}{2}){5}(?:(?:\\${b}?${HEX}{2}){2})?$`));

function invalid(text: string, kind: MacKind): SqlError {
  return new SqlError('22P02', `invalid input syntax for type ${kind}: "${text}"`);
}

export function macText(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(':');
}

export function macBytes(d: string): number[] {
  return d.split(':').map((b) => Number.parseInt(b, 16));
}

/** What a client writes to the datum. Throws 22P02, 22003. */
export function parseMac(text: string): string {
  const trimmed = text.trim();
  const match = [...NUMBERS, ...PAIRS].map((p) => p.exec(trimmed)).find((m) => m !== null);
  if (match === undefined || match === null) throw invalid(text, 'macaddr');
  const bytes = match.slice(1).map((b) => Number.parseInt(b, 16));
  if (bytes.some((b) => b > 255)) throw new SqlError('22003', `invalid octet value in "macaddr" value: "${text}"`);
  return macText(bytes);
}

/** As `parseMac`, of eight bytes; six are taken for the halves around ff:fe. */
export function parseMac8(text: string): string {
  const trimmed = text.trim();
  if (!PAIRS8.some((p) => p.test(trimmed))) throw invalid(text, 'macaddr8');
  const bytes = (trimmed.match(/[0-9a-f]{2}/gi) ?? []).map((b) => Number.parseInt(b, 16));
  return macText(bytes.length === 6 ? widened(bytes) : bytes);
}

export function widened(bytes: number[]): number[] {
  return [...bytes.slice(0, 3), 0xff, 0xfe, ...bytes.slice(3)];
}
