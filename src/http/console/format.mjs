/** Figures and values as people read them. Figures of SQL's bigint come as strings. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value) {
  if (value === null || value === undefined) return null;
  let size = Number(value);
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}

/** With blanks between thousands, exact. */
export function count(value) {
  if (value === null || value === undefined) return null;
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** Ticks a second between two looks at {tick, at}: milliseconds. Null: not known. */
export function tickRate(before, now) {
  if (before === null || now.at <= before.at || BigInt(now.tick) < BigInt(before.tick)) return null;
  return (Number(BigInt(now.tick) - BigInt(before.tick)) * 1000) / (now.at - before.at);
}

/** One value of a result. */
export function shown(value) {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

export function describedError(error) {
  const lines = [error.sqlstate === undefined ? error.message : `${error.sqlstate}: ${error.message}`];
  if (error.detail !== undefined) lines.push(error.detail);
  if (error.hint !== undefined) lines.push(`Hint: ${error.hint}`);
  if (error.position !== undefined) lines.push(`At character ${error.position}.`);
  return lines.join('\n');
}

/** A name as SQL has to say it. */
export function quoted(...names) {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}

/** A text as SQL has to say it. */
export function literal(text) {
  return text.includes('\\')
    ? `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;
}
