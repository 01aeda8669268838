/** String and bytea functions against PostgreSQL, over ASCII, accents, characters beyond the basic plane and edge numbers. */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { callFormat } from '../testing/format_call.ts';
import { type Call, Oracle, product, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const TEXTS = [
  null,
  '',
  ' ',
  'a',
  'abc',
  'Hello World',
  '  pad  ',
  'été',
  '日本語',
  '😀x😀',
  'a,b,,c',
  "O'Reilly \\ x",
  'aXbXc',
];
const NUMBERS = ['0', '1', '2', '-1', '-2', '5', '100', '2147483647', '-2147483648'];
const SHORT = ['0', '1', '3', '-1', '7', '20'];

test('one string', async () => {
  const names = [
    'lower',
    'upper',
    'initcap',
    'length',
    'octet_length',
    'bit_length',
    'reverse',
    'ascii',
    'md5',
    'btrim',
    'ltrim',
    'rtrim',
    'quote_ident',
    'quote_literal',
    'quote_nullable',
    'char_length',
  ];
  const more = [
    'select',
    'Table',
    'over',
    'x1',
    '1x',
    '_a$',
    'a b',
    'a"b',
    'between',
    'foo.bar',
    "it's",
    'ÀÉ',
    'ΑΣ',
    'mixed CASE-word_x9y',
  ];
  const calls: Call[] = [];
  for (const fn of names) for (const t of [...TEXTS, ...more]) calls.push([`${fn}(text)`, t]);
  for (const fn of ['length', 'octet_length', 'char_length'])
    for (const t of ['ab  ', '', ' x ']) calls.push([`${fn}(bpchar)`, t]);
  report(await oracle.differences(calls));
});

test('positions and lengths', async () => {
  const calls: Call[] = [];
  for (const [t, n] of product(TEXTS, NUMBERS)) {
    calls.push(['substr(text,int4)', t, n], ['left(text,int4)', t, n], ['right(text,int4)', t, n]);
    for (const m of NUMBERS) calls.push(['substr(text,int4,int4)', t, n, m]);
  }
  for (const [t, n] of product(TEXTS, SHORT)) {
    calls.push(['lpad(text,int4)', t, n], ['rpad(text,int4)', t, n], ['repeat(text,int4)', t, n]);
    for (const f of ['', 'xy', '語😀'])
      calls.push(['lpad(text,int4,text)', t, n, f], ['rpad(text,int4,text)', t, n, f]);
    for (const s of ['', ',', 'X', 'b']) calls.push(['split_part(text,text,int4)', t, s, n]);
    for (const m of SHORT) calls.push(['overlay(text,text,int4,int4)', t, 'ZZ', n, m]);
    calls.push(['overlay(text,text,int4)', t, 'ZZ', n]);
  }
  calls.push(['repeat(text,int4)', 'abc', '2147483647'], ['lpad(text,int4)', 'a', '2147483647']);
  calls.push(['overlay(text,text,int4,int4)', 'abc', 'x', '2147483647', '2']);
  for (const n of ['0', '65', '233', '8364', '128512', '55296', '1114112', '-1']) calls.push(['chr(int4)', n]);
  report(await oracle.differences(calls));
});

test('two and three strings', async () => {
  const parts = ['', 'a', 'b', 'X', ',', '日', '😀', 'l', ' ', 'abc'];
  const calls: Call[] = [];
  for (const [t, p] of product(TEXTS, parts)) {
    for (const fn of ['strpos', 'starts_with', 'btrim', 'ltrim', 'rtrim', 'textcat'])
      calls.push([`${fn}(text,text)`, t, p]);
    for (const q of ['', 'Z', 'aé'])
      calls.push(['replace(text,text,text)', t, p, q], ['translate(text,text,text)', t, p, q]);
    calls.push(['string_to_table(text,text)', t, p], ['string_to_table(text,text,text)', t, p, 'b']);
  }
  calls.push(['translate(text,text,text)', 'a😀日bc'.repeat(3000), 'a日b', 'x😀']);
  for (const t of TEXTS) calls.push(['string_to_table(text,text)', t, null]);
  for (const [a, b] of product(TEXTS, TEXTS)) {
    for (const fn of ['texteq', 'textne', 'text_lt', 'text_ge', 'text_pattern_lt'])
      calls.push([`${fn}(text,text)`, a, b]);
    for (const fn of ['bpchareq', 'bpcharlt']) calls.push([`${fn}(bpchar,bpchar)`, a, b]);
  }
  calls.push(
    ['text_lt(text,text)', '￿', '😀'],
    ['text_lt(text,text)', '\ue000', '𝄞'],
    ['bpchareq(bpchar,bpchar)', 'a  ', 'a'],
  );
  report(await oracle.differences(calls));
});

test('LIKE', async () => {
  const patterns = [
    '',
    '%',
    '_',
    'a%',
    '%c',
    '%b%',
    'a_c',
    '_%',
    '%_%',
    '%%',
    'a\\%',
    '\\',
    'abc\\',
    '%\\',
    'A%',
    '😀_😀',
    '_x_',
    'é%',
    '%é',
    '__',
    '%o%W%d',
    'H_llo%',
    '\\\\',
    '%\\\\%',
  ];
  const calls: Call[] = [];
  const escaped = (t: string | null) => t?.replaceAll('\\', '\\\\') ?? null;
  for (const [t, p] of product([...TEXTS, 'a%', 'a\\'], patterns)) {
    for (const fn of ['textlike', 'textnlike', 'texticlike', 'texticnlike']) calls.push([`${fn}(text,text)`, t, p]);
    calls.push(['bytealike(bytea,bytea)', escaped(t), escaped(p)]);
  }
  for (const [p, e] of product(['a%', 'a#%', '##', 'a#', '\\%', '%#_x'], ['#', '', '\\', '##', '%'])) {
    calls.push(['like_escape(text,text)', p, e]);
  }
  report(await oracle.differences(calls));
});

test('casts between string types', async () => {
  const long = 'é'.repeat(40);
  const calls: Call[] = [];
  for (const t of ['', 'a', 'abc  ', 'é', long, 'abcdef', '   ']) {
    calls.push(['name(text)', t], ['text(bpchar)', t], ['char(text)', t], ['name(bpchar)', t], ['text(name)', t]);
    for (const n of ['-1', '4', '5', '7', '9']) {
      for (const explicit of ['true', 'false']) {
        calls.push(['varchar(varchar,int4,bool)', t, n, explicit], ['bpchar(bpchar,int4,bool)', t, n, explicit]);
      }
    }
  }
  for (const n of ['0', '65', '127', '128', '-1', '-128']) calls.push(['char(int4)', n]);
  for (const c of ['', 'A', '\\377', '\\200']) calls.push(['int4(char)', c], ['text(char)', c]);
  report(await oracle.differences(calls));
});

test('bytea', async () => {
  const bytes = [null, '', '\\x00', '\\xff00ff', '\\x68656c6c6f', '\\x0102030405060708', '\\x616263616263'];
  const numbers = ['0', '1', '2', '-1', '3', '7', '100'];
  const calls: Call[] = [];
  for (const b of bytes) {
    for (const fn of [
      'length',
      'bit_count',
      'md5',
      'sha224',
      'sha256',
      'sha384',
      'sha512',
      'crc32',
      'crc32c',
      'reverse',
      'int2',
      'int4',
      'int8',
    ]) {
      calls.push([`${fn}(bytea)`, b]);
    }
    for (const e of ['hex', 'base64', 'escape', 'HEX', 'nope']) calls.push(['encode(bytea,text)', b, e]);
    for (const n of numbers) {
      calls.push(
        ['get_byte(bytea,int4)', b, n],
        ['get_bit(bytea,int8)', b, n],
        ['set_byte(bytea,int4,int4)', b, n, '258'],
      );
      calls.push(['set_bit(bytea,int8,int4)', b, n, '1'], ['set_bit(bytea,int8,int4)', b, n, '2']);
      calls.push(['substr(bytea,int4)', b, n]);
      for (const m of numbers) {
        calls.push(['substr(bytea,int4,int4)', b, n, m], ['overlay(bytea,bytea,int4,int4)', b, '\\xaa', n, m]);
      }
    }
    for (const c of bytes) {
      for (const fn of ['byteacat', 'byteaeq', 'bytealt', 'position', 'btrim', 'ltrim', 'rtrim']) {
        calls.push([`${fn}(bytea,bytea)`, b, c]);
      }
    }
  }
  for (const n of [1, 2, 3, 56, 57, 58, 114, 200]) calls.push(['encode(bytea,text)', `\\x${'ab'.repeat(n)}`, 'base64']);
  for (const t of ['', 'aGVsbG8=', 'aGVs bG8=\n', 'aGVsbG8', 'a', 'aG=', '====', 'aGVs=', 'a*b=', 'aGVsbG8=x', 'é']) {
    calls.push(['decode(text,text)', t, 'base64']);
  }
  for (const t of ['', '00ff', '0', 'zz', 'é0', ' 0 1', 'AB cd']) calls.push(['decode(text,text)', t, 'hex']);
  for (const t of ['', 'abc', '\\000\\377', '\\\\', '\\9', '\\', 'é']) calls.push(['decode(text,text)', t, 'escape']);
  // Other character sets are loadable modules, which PGlite does not have.
  for (const e of ['UTF8', 'utf-8']) {
    calls.push(['convert_to(text,name)', 'é', e], ['convert_from(bytea,name)', '\\xc3a9', e]);
  }
  for (const b of ['\\xff', '\\xc3', '\\xc328', '\\xe28228', '\\xf0288cbc', '\\x00', '\\xeda080', '\\x61c0af']) {
    calls.push(['convert_from(bytea,name)', b, 'UTF8']);
  }
  report(await oracle.differences(calls));
});

test('order of bytea', async () => {
  // How far apart byteacmp says two values are is the C library's choice; only the sign counts.
  const values = ['', '\\x00', '\\xff00ff', '\\x6162', '\\x616263', '\\x0102'];
  const calls: Call[] = product(values, values).map((args) => ['byteacmp(bytea,bytea)', ...args]);
  const sign = (outcome: string) => Math.sign(Number(outcome.slice(1)));
  report(await oracle.differences(calls, (a, b) => sign(a) === sign(b)));
});

test('format, concat and quoting through SQL text', async () => {
  const r = new Random(testSeed('format'));
  const pieces = [
    '%s',
    '%I',
    '%L',
    '%%',
    '%1$s',
    '%2$L',
    '%-10s',
    '%10s|',
    '%*s',
    '%-*s',
    '%*2$s',
    'x',
    '%3$I',
    '% ',
    '%',
    '%0$s',
    '%z',
    '%1$',
  ];
  const args = ["'a b'", 'NULL', "E'it''s \\\\'", '5', "'Sel'", '-7'];
  const queries: string[] = [];
  const ours: (() => string)[] = [];
  for (let i = 0; i < 2500; i++) {
    const pattern = Array.from({ length: 1 + r.below(3) }, () => r.pick(pieces)).join('');
    const chosen = Array.from({ length: r.below(4) }, () => r.pick(args));
    queries.push(`SELECT format('${pattern}'${chosen.map((a) => `, ${a}`).join('')})`);
    ours.push(() => callFormat(pattern, chosen, oracle.ctx));
  }
  const theirs = await oracle.attempt(queries);
  const differences = queries.flatMap((q, i) => {
    const own = ours[i]();
    return own === theirs[i] ? [] : [`${q}\n    PostgreSQL ${theirs[i]}\n    Tidemark   ${own}`];
  });
  report(differences);
});

test('identifiers and Unicode escapes', async () => {
  const calls: Call[] = [];
  const escapes = [
    '',
    'a',
    '\\0061',
    '\\u0061x',
    '\\U0001F600',
    '\\+01F600',
    '\\D83D\\DE00',
    '\\D83D',
    '\\D83Dx',
    '\\DE00',
    '\\\\',
    '\\x',
    '\\',
    '\\0000',
    '\\+110000',
  ];
  for (const t of escapes) calls.push(['unistr(text)', t]);
  for (const [n, o] of product(['abc', 'é'.repeat(40)], ['0', '4294967295']))
    calls.push(['nameconcatoid(name,oid)', n, o]);
  for (const t of ['abc', '\u0378']) calls.push(['unicode_assigned(text)', t]);
  const names = [
    'a',
    'A.b',
    '"A".b',
    'a . b',
    ' a',
    '"a""b"',
    '',
    '.',
    'a.',
    '.a',
    '"a',
    '""',
    'a b',
    'a[1]',
    '1a',
    'é.x$1',
    'a..b',
  ];
  for (const [t, strict] of product(names, ['true', 'false'])) calls.push(['parse_ident(text,bool)', t, strict]);
  report(await oracle.differences(calls));
});
