/** What may be shown of a statement's text: passwords that it gives roles are not. */
const GAP = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*[\s\S]*?\*/)+`;
const OF_ROLES = new RegExp(`\\b(?:create|alter)${GAP}(?:role|user|group)\\b`, 'i');

/** From a role's statement on that has the word PASSWORD, nothing behind that word is shown. */
export function withoutPasswords(sql: string): string {
  const start = OF_ROLES.exec(sql)?.index;
  if (start === undefined) return sql;
  const word = /\bpassword\b/i.exec(sql.slice(start));
  return word === null ? sql : `${sql.slice(0, start + word.index + word[0].length)} ...`;
}
