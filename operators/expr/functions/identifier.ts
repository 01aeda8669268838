/** parse_ident, unistr and other functions about names and Unicode escapes. */
import { pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType, OID } from '../../types.ts';
import { inputText } from '../io/registry.ts';
import { truncateName } from '../io/string.ts';
import type { EvalContext } from '../ir.ts';
import { charactersOf } from '../text/code_points.ts';
import { toLower } from '../text/letter_case.ts';
import { register } from './registry.ts';

function invalid(identifier: string, detail?: string): SqlError {
  return new SqlError('22023', `string is not a valid identifier: "${identifier}"`, { detail });
}

const BLANK = /[ \t\n\r\f\v]/;
const START = /[A-Za-z_\u0080-\u{10ffff}]/u;
const CONTINUE = /[A-Za-z0-9_$\u0080-\u{10ffff}]/u;

/** Parts of a qualified name; `strict` refuses anything behind it. */
function parseIdent(text: string, strict: boolean): string[] {
  const chars = charactersOf(text);
  const parts: string[] = [];
  let i = 0;
  const skipBlanks = () => {
    while (i < chars.length && BLANK.test(chars[i])) i++;
  };
  for (let afterDot = false; ; afterDot = true) {
    skipBlanks();
    if (chars[i] === '"') {
      let name = '';
      for (i++; ; i++) {
        if (i >= chars.length) throw invalid(text, 'String has unclosed double quotes.');
        if (chars[i] === '"') {
          if (chars[i + 1] !== '"') break;
          i++;
        }
        name += chars[i];
      }
      i++;
      if (name === '') throw invalid(text, 'Quoted identifier must not be empty.');
      parts.push(name);
    } else if (i < chars.length && START.test(chars[i])) {
      let name = '';
      while (i < chars.length && CONTINUE.test(chars[i])) name += chars[i++];
      parts.push(toLower(name));
    } else if (chars[i] === '.') throw invalid(text, 'No valid identifier before ".".');
    else throw invalid(text, afterDot ? 'No valid identifier after ".".' : undefined);
    skipBlanks();
    if (chars[i] !== '.') break;
    i++;
  }
  if (i < chars.length && strict) throw invalid(text);
  return parts;
}

register('parse_ident(text,bool)', (t: string, strict: boolean) => pgArray(OID.text, parseIdent(t, strict)));

register('regclass(text)', (t: string, ctx: EvalContext) => inputText(t, colType(OID.regclass), ctx));

register('nameconcatoid(name,oid)', (name: string, oid: number) => {
  const suffix = `_${oid}`;
  let kept = name;
  while (Buffer.byteLength(kept) + suffix.length > 63) kept = [...kept].slice(0, -1).join('');
  return truncateName(kept + suffix);
});

const ESCAPE = /\\(?:(\\)|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4})|())/g;

/** Unicode escapes \XXXX, \+XXXXXX, \uXXXX, \UXXXXXXXX to characters. */
function unistr(text: string): string {
  const codes: number[] = [];
  let at = 0;
  const plain = (part: string) => {
    for (const c of part) codes.push(c.codePointAt(0)!);
  };
  let pending: number | null = null;
  const badPair = () => new SqlError('42601', 'invalid Unicode surrogate pair');
  for (const m of text.matchAll(ESCAPE)) {
    const between = text.slice(at, m.index);
    if (pending !== null && between !== '') throw badPair();
    plain(between);
    at = m.index + m[0].length;
    if (m[1]) {
      if (pending !== null) throw badPair();
      codes.push(92);
      continue;
    }
    const hex = m[2] ?? m[3] ?? m[4] ?? m[5];
    if (hex === undefined) {
      throw new SqlError('42601', 'invalid Unicode escape', {
        hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.',
      });
    }
    const code = Number.parseInt(hex, 16);
    if (code === 0 || code > 0x10ffff)
      throw new SqlError('22023', `invalid Unicode code point: ${hex.toUpperCase().padStart(4, '0')}`);
    const isLow = code >= 0xdc00 && code <= 0xdfff;
    if (isLow !== (pending !== null)) throw badPair();
    if (pending !== null) {
      codes.push(0x10000 + ((pending - 0xd800) << 10) + (code - 0xdc00));
      pending = null;
    } else if (code >= 0xd800 && code <= 0xdbff) pending = code;
    else codes.push(code);
  }
  if (pending !== null) throw badPair();
  plain(text.slice(at));
  return codes.map((c) => String.fromCodePoint(c)).join('');
}
register('unistr(text)', unistr);
register('unicode_assigned(text)', (t: string) => !/\p{Cn}/u.test(t));
