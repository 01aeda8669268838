/** The functions of text, name, bpchar and "char", and the casts between them; the work is in ../text/. */
import { hash } from 'node:crypto';
import { type Datum, isPgArray, type PgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { collectArray } from '../array/value.ts';
import { trimBpchar } from '../compare.ts';
import { parseInt4 } from '../io/integer.ts';
import { outputText } from '../io/registry.ts';
import {
  applyBpcharTypmod,
  applyVarcharTypmod,
  byteToChar,
  charToText,
  parseChar,
  truncateName,
} from '../io/string.ts';
import type { EvalContext } from '../ir.ts';
import { codePointLength } from '../text/code_points.ts';
import { formatText } from '../text/format.ts';
import { initcap, toLower, toUpper } from '../text/letter_case.ts';
import { castToText } from '../text/output.ts';
import { quoteIdent, quoteLiteral } from '../text/quote.ts';
import * as strings from '../text/strings.ts';
import { type CallInfo, register, registerSet, registerTyped } from './registry.ts';

register('textcat(text,text)', (a: string, b: string) => a + b);
registerTyped('anytextcat(anynonarray,text)', ([a, b], call, ctx) => castToText(a, call.argTypes[0].oid, ctx) + b);
registerTyped('textanycat(text,anynonarray)', ([a, b], call, ctx) => a + castToText(b, call.argTypes[1].oid, ctx));

for (const name of ['length', 'char_length', 'character_length']) {
  register(`${name}(text)`, codePointLength);
  register(`${name}(bpchar)`, (t: string) => codePointLength(trimBpchar(t)));
}
register('textlen(text)', codePointLength);
for (const type of ['text', 'bpchar']) register(`octet_length(${type})`, (t: string) => Buffer.byteLength(t));
register('bit_length(text)', (t: string) => Buffer.byteLength(t) * 8);

register('lower(text)', toLower);
register('upper(text)', toUpper);
register('initcap(text)', initcap);
register('reverse(text)', strings.reverse);
register('ascii(text)', (t: string) => t.codePointAt(0) ?? 0);
register('chr(int4)', strings.chr);
register('starts_with(text,text)', (t: string, prefix: string) => t.startsWith(prefix));
register('md5(text)', (t: string) => hash('md5', t, 'hex'));

for (const name of ['substr', 'substring']) {
  register(`${name}(text,int4)`, (t: string, start: number) => strings.substring(t, start));
  register(`${name}(text,int4,int4)`, (t: string, start: number, n: number) => strings.substring(t, start, n));
}
register('strpos(text,text)', strings.strpos);
register('position(text,text)', strings.strpos);
register('left(text,int4)', strings.left);
register('right(text,int4)', strings.right);
register('repeat(text,int4)', strings.repeat);
register('replace(text,text,text)', strings.replace);
register('translate(text,text,text)', strings.translate);
register('split_part(text,text,int4)', strings.splitPart);
register('overlay(text,text,int4)', (t: string, p: string, start: number) => strings.overlay(t, p, start));
register('overlay(text,text,int4,int4)', (t: string, p: string, start: number, n: number) =>
  strings.overlay(t, p, start, n),
);

const lpad = (t: string, n: number, fill: string) => {
  const { kept, pad } = strings.padding(t, n, fill);
  return pad + kept;
};
const rpad = (t: string, n: number, fill: string) => {
  const { kept, pad } = strings.padding(t, n, fill);
  return kept + pad;
};
register('lpad(text,int4)', (t: string, n: number) => lpad(t, n, ' '));
register('lpad(text,int4,text)', lpad);
register('rpad(text,int4)', (t: string, n: number) => rpad(t, n, ' '));
register('rpad(text,int4,text)', rpad);

for (const [name, atStart, atEnd] of [
  ['btrim', true, true],
  ['ltrim', true, false],
  ['rtrim', false, true],
] as const) {
  register(`${name}(text)`, (t: string) => strings.trim(t, ' ', atStart, atEnd));
  register(`${name}(text,text)`, (t: string, chars: string) => strings.trim(t, chars, atStart, atEnd));
}

register('quote_ident(text)', quoteIdent);
register('quote_literal(text)', quoteLiteral);
registerTyped('quote_literal(anyelement)', ([v], call, ctx) => quoteLiteral(castToText(v, call.argTypes[0].oid, ctx)));
register('quote_nullable(text)', (t: string | null) => (t === null ? 'NULL' : quoteLiteral(t)));
registerTyped('quote_nullable(anyelement)', ([v], call, ctx) =>
  v === null ? 'NULL' : quoteLiteral(castToText(v, call.argTypes[0].oid, ctx)),
);

function splitToArray(t: string | null, separator: string | null, nullText: string | null): PgArray | null {
  return t === null ? null : collectArray(OID.text, strings.splitString(t, separator, nullText));
}
register('string_to_array(text,text)', (t: string | null, sep: string | null) => splitToArray(t, sep, null));
register('string_to_array(text,text,text)', splitToArray);

function* splitToRows(t: string | null, separator: string | null, nullText: string | null): Iterable<Datum[]> {
  if (t !== null) for (const part of strings.splitString(t, separator, nullText)) yield [part];
}
registerSet('string_to_table(text,text)', (t: string | null, sep: string | null) => splitToRows(t, sep, null));
registerSet('string_to_table(text,text,text)', splitToRows);

/** The arguments of a VARIADIC "any" call from `first` on, in output form; null when VARIADIC NULL was given. */
function variadicTexts(args: Datum[], call: CallInfo, first: number, ctx: EvalContext): (string | null)[] | null {
  if (!call.variadic) return args.slice(first).map((v, i) => text(v, call.argTypes[first + i].oid, ctx));
  const array = args[args.length - 1];
  if (array === null) return null;
  if (!isPgArray(array)) throw new SqlError('42804', 'VARIADIC argument must be an array');
  return array.items.map((v) => text(v, array.elem, ctx));
}

function text(v: Datum, oid: number, ctx: EvalContext): string | null {
  return v === null ? null : outputText(v, oid, ctx);
}

registerTyped('concat(any)', (args, call, ctx) => {
  const parts = variadicTexts(args, call, 0, ctx);
  return parts === null ? null : parts.filter((p) => p !== null).join('');
});
registerTyped('concat_ws(text,any)', (args, call, ctx) => {
  if (args[0] === null) return null;
  const parts = variadicTexts(args, call, 1, ctx);
  return parts === null ? null : parts.filter((p) => p !== null).join(args[0] as string);
});

register('format(text)', (pattern: string | null) => (pattern === null ? null : formatWith(pattern, [])));
registerTyped('format(text,any)', (args, call, ctx) =>
  args[0] === null ? null : formatWith(args[0] as string, variadicTexts(args, call, 1, ctx) ?? []),
);

function formatWith(pattern: string, texts: (string | null)[]): string {
  return formatText(pattern, {
    count: texts.length,
    text: (i) => texts[i],
    width: (i) => (texts[i] === null ? 0 : parseInt4(texts[i])),
  });
}

register('text(name)', (t: string) => t);
register('text(bpchar)', trimBpchar);
register('text(char)', charToText);
register('name(text)', truncateName);
register('name(varchar)', truncateName);
register('name(bpchar)', (t: string) => truncateName(trimBpchar(t)));
register('varchar(name)', (t: string) => t);
register('bpchar(name)', (t: string) => t);
register('bpchar(char)', charToText);
register('varchar(varchar,int4,bool)', applyVarcharTypmod);
register('bpchar(bpchar,int4,bool)', applyBpcharTypmod);
register('char(text)', parseChar);
register('char(int4)', (n: number) => {
  if (n < -128 || n > 127) throw new SqlError('22003', '"char" out of range');
  return byteToChar(n & 255);
});
register('int4(char)', (c: string) => (c === '' ? 0 : (c.charCodeAt(0) << 24) >> 24));

const FORMS: Record<string, 'NFC' | 'NFD' | 'NFKC' | 'NFKD'> = { nfc: 'NFC', nfd: 'NFD', nfkc: 'NFKC', nfkd: 'NFKD' };

function normalForm(name: string): 'NFC' | 'NFD' | 'NFKC' | 'NFKD' {
  const form = FORMS[name.toLowerCase()];
  if (!form) throw new SqlError('22023', `invalid normalization form: ${name}`);
  return form;
}
register('normalize(text,text)', (t: string, form: string) => t.normalize(normalForm(form)));
register('is_normalized(text,text)', (t: string, form: string) => t.normalize(normalForm(form)) === t);
