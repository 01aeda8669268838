/**
 * to_timestamp and to_date: reading text by a template.
 *
 * Patterns take their characters from left to right; outside FX mode blanks may stand before any field, and a separator of the
 * template matches one separator, or none, of the text. A number ends at its width unless the next thing in the template
 * cannot be a digit, or FM says otherwise.
 */
import { SqlError } from '../../errors.ts';
import { longestAbbreviation } from '../datetime/zone_abbreviations.ts';
import { DAYS, MONTHS, ROMAN_MONTHS } from './datetime_to_text.ts';
import { noFields, type ReadFields } from './read_fields.ts';
import { parseNames, Source, setField } from './source.ts';
import { datetimeTemplate, isSeparatorChar, isSpaceChar, type TemplateNode } from './template.ts';

const GREGORIAN = new Set(['DDD', 'DD', 'D', 'MM', 'MONTH', 'MON', 'RM', 'WW', 'W', 'Y,YYY', 'YYYY', 'YYY', 'YY', 'Y']);
const ISO = new Set(['IDDD', 'ID', 'IW', 'IYYY', 'IYY', 'IY', 'I']);
/** Patterns whose text never begins with a digit. */
const WORDS = new Set([
  'A.D.',
  'A.M.',
  'AD',
  'AM',
  'B.C.',
  'BC',
  'DAY',
  'DY',
  'FX',
  'MONTH',
  'MON',
  'OF',
  'P.M.',
  'PM',
  'RM',
  'TZ',
  'TZH',
]);

/** True when what follows in the template cannot be a digit. */
function beforeNonDigit(nodes: TemplateNode[], i: number): boolean {
  if (nodes[i].ordinal) return true;
  const next = nodes[i + 1];
  if (!next) return true;
  if (next.kind === 'pattern') return WORDS.has(next.text.toUpperCase());
  return !(next.text >= '0' && next.text <= '9' && next.text.length === 1);
}

/** Reads `text` by `template`. */
export function readDateTime(text: string, template: string): ReadFields {
  const nodes = datetimeTemplate(template);
  const source = new Source(text);
  const out = noFields();
  let fixed = false;
  // Blanks taken beyond what the template asked for; a literal character may be one of them.
  let extra = 0;
  for (let i = 0; i < nodes.length && !source.atEnd(); i++) {
    const node = nodes[i];
    const isPattern = node.kind === 'pattern';
    if (!fixed && !(isPattern && node.text.toUpperCase() === 'FX') && (isPattern || i === 0))
      extra += source.skipSpaces();
    if (node.kind === 'space' || node.kind === 'separator') {
      if (fixed) source.skip();
      else {
        extra--;
        if (isSpaceChar(source.peek()) || isSeparatorChar(source.peek())) {
          source.skip();
          extra++;
        }
      }
      continue;
    }
    if (!isPattern) {
      if (!fixed && extra > 0) extra--;
      else source.skip();
      continue;
    }
    const upper = node.text.toUpperCase();
    if (upper === 'FX') fixed = true;
    else readPatternAt(out, source, nodes, i, extra);
    if (!fixed) extra = source.skipSpaces();
  }
  return out;
}

/** Reads the field of the pattern at `i`. `extra`: how many blanks were taken before it. */
export function readPatternAt(out: ReadFields, source: Source, nodes: TemplateNode[], i: number, extra: number): void {
  const node = nodes[i];
  const upper = node.text.toUpperCase();
  setMode(out, upper);
  readPattern(out, source, node, upper, node.fill || beforeNonDigit(nodes, i), extra);
  if (node.ordinal && !source.atEnd() && TAKES_ORDINAL(upper)) source.skip(2);
}

const TAKES_ORDINAL = (upper: string) => !WORDS.has(upper) || upper === 'TZH';

function setMode(out: ReadFields, upper: string): void {
  const mode = GREGORIAN.has(upper) ? 'gregorian' : ISO.has(upper) ? 'iso' : 'none';
  if (mode === 'none') return;
  if (out.mode === 'none') out.mode = mode;
  else if (out.mode !== mode) {
    throw new SqlError('22007', 'invalid combination of date conventions', {
      hint: 'Do not mix Gregorian and ISO week date conventions in a formatting template.',
    });
  }
}

const MERIDIEMS = ['AM', 'PM'];
const LONG_MERIDIEMS = ['A.M.', 'P.M.'];
const ERAS = ['AD', 'BC'];
const LONG_ERAS = ['A.D.', 'B.C.'];

function readPattern(
  out: ReadFields,
  source: Source,
  node: TemplateNode,
  upper: string,
  greedy: boolean,
  extra: number,
): void {
  const int = (field: keyof ReadFields | null, width: number): number => {
    const { value, length } = source.integer(width, greedy, node.text);
    if (field) setField(out, field, value, node.text);
    return length;
  };
  const name = (field: keyof ReadFields, names: readonly string[], value: (index: number) => number) =>
    setField(out, field, value(parseNames(source, names, node.text)), node.text);
  switch (upper) {
    case 'A.M.':
    case 'P.M.':
      name('pm', LONG_MERIDIEMS, (i) => i);
      out.clock12 = true;
      break;
    case 'AM':
    case 'PM':
      name('pm', MERIDIEMS, (i) => i);
      out.clock12 = true;
      break;
    case 'HH':
    case 'HH12':
      int('hour', 2);
      out.clock12 = true;
      break;
    case 'HH24':
      int('hour', 2);
      break;
    case 'MI':
      int('minute', 2);
      break;
    case 'SS':
      int('second', 2);
      break;
    case 'MS': {
      const length = int('milli', 3);
      out.milli *= length === 1 ? 100 : length === 2 ? 10 : 1;
      break;
    }
    case 'FF1':
    case 'FF2':
    case 'FF3':
    case 'FF4':
    case 'FF5':
    case 'FF6':
    case 'US': {
      const length = int('micro', upper === 'US' ? 6 : Number(upper[2]));
      out.micro *= length >= 6 ? 1 : 10 ** (6 - length);
      if (upper !== 'US') out.precision = Number(upper[2]);
      break;
    }
    case 'SSSS':
    case 'SSSSS':
      int('secondOfDay', upper.length);
      break;
    case 'TZ':
    case 'OF':
      readZone(out, source, upper, node.text, int, extra);
      break;
    case 'TZH':
      out.offsetSign = readSign(source, extra);
      int('offsetHours', 2);
      break;
    case 'TZM':
      if (out.offsetSign === 0) out.offsetSign = 1;
      int('offsetMinutes', 2);
      break;
    case 'A.D.':
    case 'B.C.':
      name('bc', LONG_ERAS, (i) => i);
      break;
    case 'AD':
    case 'BC':
      name('bc', ERAS, (i) => i);
      break;
    case 'MONTH':
      name('month', MONTHS, (i) => i + 1);
      break;
    case 'MON':
      name(
        'month',
        MONTHS.map((m) => m.slice(0, 3)),
        (i) => i + 1,
      );
      break;
    case 'RM':
      name('month', ROMAN_MONTHS, (i) => 12 - i);
      break;
    case 'MM':
      int('month', 2);
      break;
    // The number is one more than what is looked at for a conflict: two names always conflict, as in PostgreSQL.
    case 'DAY':
      name('weekday', DAYS, (i) => i);
      out.weekday++;
      break;
    case 'DY':
      name(
        'weekday',
        DAYS.map((d) => d.slice(0, 3)),
        (i) => i,
      );
      out.weekday++;
      break;
    case 'DDD':
    case 'IDDD':
      int('dayOfYear', 3);
      break;
    case 'DD':
      int('day', 2);
      break;
    case 'D':
      int('weekday', 1);
      break;
    case 'ID':
      int('weekday', 1);
      // Monday is 1 in ISO weeks, Sunday everywhere else.
      out.weekday = out.weekday >= 7 ? 1 : out.weekday + 1;
      break;
    case 'WW':
    case 'IW':
      int('week', 2);
      break;
    case 'Q':
      int(null, 1);
      break;
    case 'CC':
      int('century', 2);
      break;
    case 'W':
      int('weekOfMonth', 1);
      break;
    case 'J':
      int('julian', 1);
      break;
    case 'Y,YYY': {
      const years = source.thousandsYear();
      setField(out, 'year', years, node.text);
      out.yearDigits = 4;
      break;
    }
    case 'YYYY':
    case 'IYYY':
      int('year', 4);
      out.yearDigits = 4;
      break;
    default: {
      // YYY, YY, Y and their ISO twins: the nearest year to 2020.
      const length = int('year', upper.length);
      if (length < 4) out.year = nearestYear(out.year);
      out.yearDigits = upper.length;
    }
  }
}

function nearestYear(year: number): number {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

/** The sign of a zone; a minus already taken as a separator counts. */
function readSign(source: Source, extra: number): number {
  const c = source.peek();
  if (c === '+' || c === '-' || c === ' ') {
    source.skip();
    return c === '-' ? -1 : 1;
  }
  return extra > 0 && source.previous() === '-' ? -1 : 1;
}

function readZone(
  out: ReadFields,
  source: Source,
  upper: string,
  pattern: string,
  int: (field: keyof ReadFields, width: number) => number,
  extra: number,
): void {
  if (upper === 'TZ') {
    const abbreviation = longestAbbreviation(source.rest());
    if (abbreviation) {
      out.offset = abbreviation.offset;
      out.offsetSign = 0;
      source.skip(abbreviation.length);
      return;
    }
    if (/^[A-Za-z]/.test(source.rest())) {
      throw new SqlError('22007', `invalid value "${source.rest()}" for "${pattern}"`, {
        detail: 'Time zone abbreviation is not recognized.',
      });
    }
  }
  out.offsetSign = readSign(source, extra);
  int('offsetHours', 2);
  if (source.peek() === ':') {
    source.skip();
    int('offsetMinutes', 2);
  }
}
