/** Inline forms of text functions: calls of text/slot_text.ts over slots. */
import type { Datum } from '../../datum.ts';
import { compareVarlen, equalVarlen } from '../../state/slot_order.ts';
import * as slots from '../text/slot_text.ts';
import { bool, COMPARISONS, int, type Site, slot, type Template, templates } from './templates.ts';
import type { Value } from './values.ts';

const BAILED = `$r === ${slots.BAIL}`;

const isText = (...args: Value[]): boolean => args.every((a) => a.kind === 'slot');

/** A template for arguments of which these are slots of text. */
function onText(count: number, template: Template): Template {
  return (args, constants, site) => (isText(...args.slice(0, count)) ? template(args, constants, site) : null);
}

function define(names: string[], count: number, template: Template): void {
  for (const name of names) templates.set(name, onText(count, template));
}

/** Code of a call with the site's own result slot. */
function into(site: Site, fn: (...args: never[]) => unknown, ...args: string[]): string {
  return `${site.use(fn)}(${[...args, site.slot()].join(', ')})`;
}

/** As `into`, for results that may need bytes of their own. */
function intoArena(site: Site, fn: (...args: never[]) => unknown, ...args: string[]): string {
  return `${site.use(fn)}(${[...args, site.slot(), 'arena'].join(', ')})`;
}

/** Longest text whose bytes lie in its slot: equality with a constant is then that of four words, compared in the code itself. */
const SHORT = 12;

function equality(a: Value, b: Value, constants: (Datum | undefined)[], site: Site): string {
  const [constant, other] = typeof constants[0] === 'string' ? [constants[0], b] : [constants[1], a];
  if (typeof constant !== 'string' || Buffer.byteLength(constant) > SHORT)
    return `${site.use(equalVarlen)}(${a.v}, ${b.v})`;
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(bytes.write(constant, 4));
  const words = Array.from({ length: 4 }, (_, w) => `I32[(${other.v} >>> 2) + ${w}] === ${bytes.readInt32LE(w * 4)}`);
  return `(${words.join(' && ')})`;
}

define(['texteq(text,text)'], 2, ([a, b], constants, site) => bool(equality(a, b, constants, site)));
define(['textne(text,text)'], 2, ([a, b], constants, site) => bool(`!${equality(a, b, constants, site)}`));
for (const [op, sign] of COMPARISONS.slice(2))
  define([`text_${op}(text,text)`], 2, ([a, b], _, site) =>
    bool(`${site.use(compareVarlen)}(${a.v}, ${b.v}) ${sign} 0`),
  );

define(['lower(text)'], 1, ([a], _, site) => slot(intoArena(site, slots.lowerText, a.v), BAILED));
define(['upper(text)'], 1, ([a], _, site) => slot(intoArena(site, slots.upperText, a.v), BAILED));
define(['textcat(text,text)'], 2, ([a, b], _, site) => slot(intoArena(site, slots.concatText, a.v, b.v)));
define(['length(text)', 'char_length(text)', 'character_length(text)', 'textlen(text)'], 1, ([a], _, site) =>
  int(`${site.use(slots.characterLength)}(${a.v})`),
);
define(['octet_length(text)'], 1, ([a]) => int(`U32[${a.v} >>> 2]`));
define(['strpos(text,text)', 'position(text,text)'], 2, ([a, b], _, site) =>
  int(`${site.use(slots.positionOf)}(${a.v}, ${b.v})`),
);
define(['starts_with(text,text)'], 2, ([a, b], _, site) => bool(`${site.use(slots.startsWith)}(${a.v}, ${b.v})`));
define(['replace(text,text,text)'], 3, ([a, from, to], _, site) =>
  slot(intoArena(site, slots.replaceText, a.v, from.v, to.v), BAILED),
);
define(['substr(text,int4)', 'substring(text,int4)'], 1, ([a, start], _, site) =>
  slot(into(site, slots.sliceText, a.v, `Math.max(${start.v}, 1) - 1`, 'Infinity')),
);
define(['substr(text,int4,int4)', 'substring(text,int4,int4)'], 1, ([a, start, length], _, site) =>
  slot(into(site, slots.substringText, a.v, start.v, length.v), BAILED),
);
define(['left(text,int4)'], 1, ([a, n], _, site) => slot(into(site, slots.leftText, a.v, n.v)));
define(['right(text,int4)'], 1, ([a, n], _, site) => slot(into(site, slots.rightText, a.v, n.v)));
for (const [name, atStart, atEnd] of [
  ['btrim', true, true],
  ['ltrim', true, false],
  ['rtrim', false, true],
] as const)
  define([`${name}(text)`], 1, ([a], _, site) =>
    slot(into(site, slots.trimBlanks, a.v, String(atStart), String(atEnd))),
  );

define(['string_to_array(text,text)'], 2, ([a, separator], [, between], site) =>
  typeof between !== 'string' || between === ''
    ? null
    : slot(intoArena(site, slots.splitToArray, a.v, separator.v), BAILED),
);
define(['split_part(text,text,int4)'], 2, ([a, separator], [, between, n], site) => {
  if (typeof between !== 'string' || between === '' || typeof n !== 'number' || n < 1 || n > 1000) return null;
  const fields = site.share(
    `fields of ${a.v} by ${between}`,
    () => new slots.Fields(Number(separator.v), site.slot()),
    (name) => `${name}.start(${a.v});`,
  );
  return slot(`${fields}.part(${n}, ${site.slot()})`);
});

function like(negated: boolean, fold: boolean): Template {
  return ([a], [, pattern], site) => {
    const literals = typeof pattern === 'string' ? slots.likeLiterals(pattern) : null;
    if (literals === null || (fold && !/^[\0-\x7f]*$/.test(pattern as string))) return null;
    const matcher = site.use(new slots.LikeMatcher(fold ? literals.map((l) => l.toLowerCase()) : literals, fold));
    const result = `${matcher}.test(${a.v})`;
    const test = negated ? `(1 - ${result})` : result;
    return { value: { kind: 'bool', v: test }, bails: fold ? ['$r < 0 || $r > 1'] : [] };
  };
}
define(['textlike(text,text)', 'like(text,text)'], 1, like(false, false));
define(['textnlike(text,text)', 'notlike(text,text)'], 1, like(true, false));
define(['texticlike(text,text)'], 1, like(false, true));
define(['texticnlike(text,text)'], 1, like(true, true));
