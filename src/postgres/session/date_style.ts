/**
 * The DateStyle setting: an output style and a field order, each of which may be left out.
 *
 *   'iso' -> 'ISO, <order so far>'      'SQL, European' -> 'SQL, DMY'      'German' alone turns the order to DMY
 */
const STYLES: Record<string, string> = { iso: 'ISO', sql: 'SQL', postgres: 'Postgres', german: 'German' };
const ORDERS: Record<string, string> = {
  mdy: 'MDY',
  us: 'MDY',
  noneuropean: 'MDY',
  dmy: 'DMY',
  euro: 'DMY',
  european: 'DMY',
  ymd: 'YMD',
};

/** The canonical text, or null when a word is unknown or two contradict each other. */
export function canonicalDateStyle(text: string, current: string): string | null {
  const [styleNow, orderNow] = current.split(', ');
  let style: string | null = null;
  let order: string | null = null;
  for (const part of text.split(',')) {
    const word = part.trim().toLowerCase();
    const newStyle = word === 'default' ? 'ISO' : STYLES[word];
    const newOrder = word === 'default' ? 'MDY' : ORDERS[word];
    if (newStyle === undefined && newOrder === undefined) return null;
    if (newStyle !== undefined) {
      if (style !== null && style !== newStyle) return null;
      style = newStyle;
      if (word === 'german' && order === null && !text.includes(',')) order = 'DMY';
    }
    if (newOrder !== undefined && word !== 'default') {
      if (order !== null && order !== newOrder) return null;
      order = newOrder;
    }
  }
  return `${style ?? styleNow}, ${order ?? orderNow ?? 'MDY'}`;
}
