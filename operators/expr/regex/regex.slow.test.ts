/**
 * Regular expressions against PostgreSQL: a table of constructs, and random patterns over a small alphabet, where the choice among
 * possible matches (longest, shortest, which captures) shows.
 */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { type Call, Oracle, product, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const PATTERNS = [
  'a', 'abc', 'a|ab', '(a|ab)(c|bcd)(d*)', 'x*', 'x*?', '(x*)(y*)', '(a+?)(b+)', 'a+?b+', '(a+?)|b', '[[:alpha:]]+', '[[:digit:]]{2,3}',
  '\\d+', '\\w+', '\\s+', '[^a-c]+', '[]a]+', '[^]a]+', '[a-]+', '[\\d_]+', '\\mfoo\\M', '\\yfoo', '\\Yoo', '^foo$', '\\Afoo', 'bar\\Z',
  '(?i)FOO', '(?n)^b.r$', '(?:ab)+', '(ab)+', '(a)(b)?', '((a)|(b))*', '(a|b)*c', '(.)\\1', '(..)\\1+', '(a*)\\1', 'a{2}', 'a{2,}', 'a{,2}',
  'a{0}b', '(a){0}b', '(?=b)b', 'a(?=b)', 'a(?!b)', '(?<=a)b', '(?<!a)b', '\\x41', '\\u0041', '\\101', '\\n', '[[:<:]]foo[[:>:]]', '.*', '.+?',
  '(.*?)(\\d+)', '(\\d+?)(\\d*)', '^', '$', '', '()', 'a||b', '(a|)', '***=a.b', '***:a.b', '(?q)a.b', '(?x) a b # c', 'a(?#comment)b',
  '[[=a=]]', '[[.hyphen.]]', '[[.-.]]', '\\.', 'é', '[é-ü]', '日.', '😀', '.', '(?i)É', '(?i)[a-c]+', '[[:upper:]]+', '[[:space:]]', '\\S+', '\\W', '\\D+',
  '(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10', '(?w)^b', '(?p).+', 'a{3}?', '(a{1,2}?)(a*)', '(?:(a)|b)*?c', '([ab]+)([bc]+)([cd]*)', 'foo(?:bar)?',
]; // biome-ignore format: a table of patterns

const BROKEN = [
  '(', ')', 'a)', '(a', '[', '[a', '[b-a]', '*', 'a**', '+a', '?', '^*', 'a{1', 'a{2,1}', 'a{256}', 'a{1x}', '\\', 'a\\', '\\q', '[[:foo:]]', '\\1',
  '(a)\\2', '[a-c-e]', '(?z)a', '(?=a)*', '[[.foo.]]', '(*a)', 'a|*', '\\x', '\\u12', '{1}', '(?', '(?<a', '[[:alpha:]-z]', '\\ua', 'a{1,2}{3}', '(a)|*b',
]; // biome-ignore format: a table of patterns

const TEXTS = ['', 'a', 'abc', 'abcd', 'aabbcc', 'xxyy', 'foo', 'foo bar', 'foobar', 'Foo FOO', 'foo\nbar\nbaz', 'a.b', 'a-b_c', '12 345 6', 'é日本😀x', 'abab', 'aaaa', 'abcdefghijj', 'b', 'AbC É']; // biome-ignore format: texts

test('constructs', async () => {
  const calls: Call[] = [];
  for (const [t, p] of product(TEXTS, [...PATTERNS, ...BROKEN])) {
    calls.push(['textregexeq(text,text)', t, p], ['texticregexeq(text,text)', t, p]);
    calls.push(['substring(text,text)', t, p], ['regexp_replace(text,text,text,text)', t, p, '<\\1\\&>', 'g']);
    calls.push(['regexp_split_to_table(text,text)', t, p], ['regexp_count(text,text)', t, p]);
    calls.push(['regexp_substr(text,text,int4,int4,text,int4)', t, p, '1', '1', '', '1']);
  }
  report(await oracle.differences(calls));
});

test('arguments of the functions', async () => {
  const calls: Call[] = [];
  for (const [t, p, n] of product(
    ['', 'abcabc', 'aXbXc', 'é日é'],
    ['b', '(b)(c)?', 'X*', '.'],
    ['0', '1', '2', '3', '9', '-1'],
  )) {
    calls.push(
      ['regexp_replace(text,text,text,int4)', t, p, '-', n],
      ['regexp_replace(text,text,text,int4,int4)', t, p, '-', '1', n],
    );
    calls.push(['regexp_count(text,text,int4)', t, p, n], ['regexp_instr(text,text,int4)', t, p, n]);
    calls.push(
      ['regexp_instr(text,text,int4,int4)', t, p, '1', n],
      ['regexp_instr(text,text,int4,int4,int4)', t, p, '1', '1', n],
    );
    calls.push(['regexp_instr(text,text,int4,int4,int4,text,int4)', t, p, '1', '1', '0', 'i', n]);
    calls.push(['regexp_substr(text,text,int4)', t, p, n], ['regexp_substr(text,text,int4,int4)', t, p, '1', n]);
  }
  for (const f of ['', 'g', 'i', 'n', 'gi', 'z', 'x', 'q', 'gg', 'c', 'ic', 'm', 's', 'p', 'w', '1', 'é']) {
    calls.push(
      ['regexp_replace(text,text,text,text)', 'aB.b\nb', 'b.', '-', f],
      ['regexp_like(text,text,text)', 'aB.b', 'b.b', f],
    );
    calls.push(
      ['regexp_split_to_table(text,text,text)', 'aBc', 'b', f],
      ['regexp_count(text,text,int4,text)', 'aBb', 'b', '1', f],
    );
  }
  for (const r of ['\\0', '\\1', '\\9', '\\&', '\\\\', '\\', 'x\\', '\\x', '$1', '\\1\\1']) {
    calls.push(['regexp_replace(text,text,text)', 'abc', '(b)', r]);
  }
  const similar = [
    'abc',
    'a%',
    '_b_',
    '(b|c)%',
    '%(b|d)%',
    'a\\%',
    'a[bc]*',
    'a[^b]c',
    'a{1}bc',
    'ab?c',
    'a.c',
    '#"%#"c',
    '%#"b#"%',
    'a#"b#"#"c',
    '[[:alpha:]]+',
    'a#%',
    '^abc',
    '#',
    '%[%]%',
    '%[]^]%',
  ];
  for (const [t, p] of product(['abc', 'a%', 'ab', 'abcabc', ''], similar)) {
    calls.push(['substring(text,text,text)', t, p, '#']);
  }
  for (const [p, e] of product(similar, ['#', '', '\\', 'ab'])) {
    calls.push(['similar_to_escape(text,text)', p, e], ['similar_escape(text,text)', p, e]);
  }
  for (const p of similar) calls.push(['similar_to_escape(text)', p], ['similar_escape(text,text)', p, null]);
  report(await oracle.differences(calls));
});

test('random patterns', async () => {
  const r = new Random(testSeed('regular expressions'));
  const atom = (depth: number): string => {
    const k = r.below(depth > 0 ? 12 : 6);
    if (k < 4) return 'abc'[r.below(3)];
    if (k === 4) return '.';
    if (k === 5) return r.pick(['[ab]', '[^a]', '\\w', 'ab']);
    if (k < 10) return `(${pattern(depth - 1)})`;
    if (k === 10) return `(?:${pattern(depth - 1)})`;
    return r.pick(['^', '$', '(?=a)', '(?!b)', '\\y', `(?<=${'abc'[r.below(3)]})`]);
  };
  const quantifier = () => r.pick(['', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{1,}']);
  const branch = (depth: number): string =>
    Array.from({ length: 1 + r.below(3) }, () => {
      const a = atom(depth);
      return /^(\^|\$|\\y|\(\?[=!<])/.test(a) ? a : a + quantifier();
    }).join('');
  const pattern = (depth: number): string =>
    Array.from({ length: r.below(4) === 0 ? 2 : 1 }, () => branch(depth)).join('|');
  // A back reference to a group that certainly took part: what one to an absent group means depends on PostgreSQL's inner rewriting.
  const withReference = () => `(${branch(1)})${branch(0)}\\1${r.pick(['', '', '*', '+?', '{2}'])}${branch(0)}`;
  const calls: Call[] = [];
  for (let i = 0; i < 2500; i++) {
    const p = i % 5 === 0 ? withReference() : pattern(2);
    for (let j = 0; j < 3; j++) {
      const t = Array.from({ length: r.below(9) }, () => 'abc'[r.below(3)]).join('');
      calls.push(['regexp_replace(text,text,text)', t, p, '<\\&|\\1|\\2|\\3>']);
      calls.push(['textregexeq(text,text)', t, p], ['regexp_count(text,text)', t, p]);
    }
  }
  report(await oracle.differences(calls));
});
