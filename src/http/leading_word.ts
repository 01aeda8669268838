/** The first word of a statement, in small letters: behind blanks, comments (which nest) and opening brackets. */
export function leadingWord(sql: string): string {
  let at = 0;
  while (at < sql.length) {
    if (sql.startsWith('--', at)) {
      const end = sql.indexOf('\n', at);
      at = end < 0 ? sql.length : end + 1;
    } else if (sql.startsWith('/*', at)) at = behindComment(sql, at);
    else if (sql[at] === '(' || /\s/.test(sql[at])) at++;
    else break;
  }
  return /^[a-z]*/i.exec(sql.slice(at, at + 32))?.[0].toLowerCase() ?? '';
}

function behindComment(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; ) {
    if (sql.startsWith('/*', at)) {
      depth++;
      at += 2;
    } else if (sql.startsWith('*/', at)) {
      depth--;
      at += 2;
      if (depth === 0) return at;
    } else at++;
  }
  return sql.length;
}
