/**
 * Plain characters that every match of an expression contains, and how far behind the match's start they stand. A search looks for them bytewise first:
 * a text without them has no match, and with them a match can start in few places only.
 *
 *   (&|^)channel_id=([^&]*)        'channel_id=' after 0 or 1 characters
 */
import type { Regex } from './syntax.ts';

export interface RequiredLiteral {
  text: string;
  /** Fewest and most characters between the match's start and the literal. */
  least: number;
  most: number;
}

interface Width {
  least: number;
  most: number;
}

/** How many characters a match of the expression has, at least and at most. Back references have any number. */
function widthOf(r: Regex): Width {
  switch (r.k) {
    case 'set':
      return { least: 1, most: 1 };
    case 'assert':
    case 'look':
      return { least: 0, most: 0 };
    case 'backref':
      return { least: 0, most: Number.POSITIVE_INFINITY };
    case 'group':
      return widthOf(r.body);
    case 'repeat': {
      const { least, most } = widthOf(r.body);
      return { least: least * r.min, most: most === 0 ? 0 : most * r.max };
    }
    case 'concat':
      return r.items.map(widthOf).reduce((a, b) => ({ least: a.least + b.least, most: a.most + b.most }), {
        least: 0,
        most: 0,
      });
    case 'alt': {
      const widths = r.branches.map(widthOf);
      return { least: Math.min(...widths.map((w) => w.least)), most: Math.max(...widths.map((w) => w.most)) };
    }
  }
}

/** How many characters every match has; null when they differ. */
export function fixedWidth(r: Regex): number | null {
  const { least, most } = widthOf(r);
  return least === most ? least : null;
}

/** The character of a set that has only one, of ASCII; null for others. */
function plainCharacter(r: Regex): string | null {
  if (r.k !== 'set' || r.set.icase || r.set.negated || r.set.classes.length > 0 || r.set.ranges.length !== 1)
    return null;
  const [[low, high]] = r.set.ranges;
  return low === high && low < 128 ? String.fromCharCode(low) : null;
}

/** The longest literal that stands within a limited distance of the start; null when there is none. */
export function requiredLiteral(root: Regex): RequiredLiteral | null {
  const runs: RequiredLiteral[] = [{ text: '', least: 0, most: 0 }];
  for (const item of root.k === 'concat' ? root.items : [root]) {
    const run = runs[runs.length - 1];
    const character = plainCharacter(item);
    if (character !== null) run.text += character;
    else {
      const { least, most } = widthOf(item);
      const length = run.text.length;
      runs.push({ text: '', least: run.least + length + least, most: run.most + length + most });
    }
  }
  const near = runs.filter((run) => run.text !== '' && run.most < Number.POSITIVE_INFINITY);
  return near.length === 0 ? null : near.reduce((a, b) => (b.text.length > a.text.length ? b : a));
}
