/**
 * The match structure of a regular expression: how a match of the whole is divided among its parts.
 *
 * Only parts that matter are told apart: capturing groups, back references, and places where longer and shorter preferences meet.
 * Everything between them stays one plain piece. The rules for preference (flags) are those of the manual, "Regular Expression
 * Matching Rules": a branch prefers what its first quantified part prefers, an alternation always prefers longer.
 */
import type { Regex } from './syntax.ts';

const LONGER = 1;
export const SHORTER = 2;
const MIXED = 4;
const CAPTURE = 8;
const BACKREF = 16;
const UPWARD = MIXED | CAPTURE | BACKREF;

export interface Part {
  op: 'plain' | 'concat' | 'alt' | 'iterate' | 'group' | 'backref';
  flags: number;
  /** The whole of this part, for its automaton. */
  regex: Regex;
  children: Part[];
  /** Group captured by this part; 0 for none. */
  capture: number;
  /** Bounds of iterate and backref. */
  min: number;
  max: number;
  /** Group a backref refers to. */
  group: number;
}

function up(flags: number): number {
  const mixed = (flags & LONGER) !== 0 && (flags & SHORTER) !== 0 ? MIXED : 0;
  return (flags & UPWARD) | mixed;
}

/** Flags of two parts in sequence: the first preference wins. */
function combine(a: number, b: number): number {
  const preference = (a & (LONGER | SHORTER)) !== 0 ? a : b;
  return up(a | b) | (preference & (LONGER | SHORTER));
}

const isMessy = (flags: number) => (flags & UPWARD) !== 0;

function part(op: Part['op'], flags: number, regex: Regex, children: Part[] = []): Part {
  return { op, flags, regex, children, capture: 0, min: 1, max: 1, group: 0 };
}

/** The structure of a whole expression. */
export function structureOf(r: Regex): Part {
  if (r.k !== 'alt') return branchStructure(r.k === 'concat' ? r.items : [r]);
  const children = r.branches.map(structureOf);
  let flags = LONGER;
  for (const c of children) flags |= up(flags | c.flags);
  return isMessy(flags) ? part('alt', flags, r, children) : part('plain', flags, r);
}

function branchStructure(items: Regex[]): Part {
  const plain: Regex[] = [];
  let flags = 0;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const repeat = item.k === 'repeat' ? item : null;
    const atomRegex = repeat ? repeat.body : item;
    const prefer = !repeat?.prefer ? 0 : repeat.prefer === 'longer' ? LONGER : SHORTER;
    if (repeat && repeat.max === 0) continue;
    const atom = atomStructure(atomRegex);
    const all = flags | prefer | atom.flags;
    if (atom.capture === 0 && atom.op !== 'backref' && !isMessy(up(all))) {
      plain.push(item);
      flags = all;
      continue;
    }
    const quantified = quantify(atom, atomRegex, item, repeat?.min ?? 1, repeat?.max ?? 1, prefer);
    const rest = items.slice(i + 1);
    let tail = quantified;
    if (rest.length > 0) {
      const after = branchStructure(rest);
      const tailFlags = combine(quantified.flags, after.flags);
      tail = part('concat', tailFlags, { k: 'concat', items: items.slice(i) }, [quantified, after]);
    }
    if (plain.length === 0) return tail;
    const before = part('plain', flags, { k: 'concat', items: plain });
    return part('concat', combine(flags, tail.flags), { k: 'concat', items }, [before, tail]);
  }
  return part('plain', flags, { k: 'concat', items: plain });
}

function atomStructure(r: Regex): Part {
  if (r.k === 'backref') return { ...part('backref', BACKREF, r), group: r.group };
  if (r.k !== 'group') return part('plain', 0, r);
  const body = structureOf(r.body);
  if (r.capture === 0) return body;
  if (body.capture === 0) return { ...body, flags: body.flags | CAPTURE, capture: r.capture };
  return { ...part('group', body.flags | CAPTURE, r, [body]), capture: r.capture };
}

function quantify(atom: Part, atomRegex: Regex, whole: Regex, min: number, max: number, prefer: number): Part {
  const flags = combine(prefer, atom.flags);
  if (atom.op === 'backref' && atom.capture === 0) return { ...atom, flags, regex: whole, min, max };
  const own = atom.flags & (LONGER | SHORTER | MIXED);
  if (min === 1 && max === 1 && (prefer === 0 || own === 0 || prefer === own)) return atom;
  if ((atom.flags & (CAPTURE | BACKREF)) === 0) return part('plain', flags, whole);
  if (min > 0 && (atom.flags & BACKREF) === 0) {
    // Only the last round's captures count, so the rounds before it are one plain piece.
    const before: Regex = { k: 'repeat', body: atomRegex, min: min - 1, max: max - 1, prefer: null };
    return part('concat', flags, whole, [part('plain', flags, before), atom]);
  }
  return { ...part('iterate', flags, whole, [atom]), min, max };
}
