/** What may be shown of a statement's text: passwords that it gives roles and connectors are not. */
const GAP = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*[\s\S]*?\*/)+`;
const OF_ROLES = new RegExp(`\\b(?:create|alter)${GAP}(?:role|user|group)\\b`, 'i');
const PASSWORD = /\bpassword\b/i;
/** DO [LANGUAGE name] and the quote of its block. */
const BLOCK = new RegExp(`\\bdo(?:${GAP}language${GAP}\\S+)?(?:${GAP})?(?=\\$|e?'|u&')`, 'i');

const CONNECTOR = /\bconnector\b/i;
/** A secret option of WITH and its value, as one of the forms of text. */
const OPTION = new RegExp(
  String.raw`(\b\w*(?:password|passphrase|token|ssl_key)"?(?:${GAP})?=(?:${GAP})?)(?:e'(?:\\[\s\S]|''|[^'\\])*|(?:u&)?'(?:''|[^'])*|\$(\w*)\$[\s\S]*?\$\2(?=\$))(?:'|\$|$)`,
  'gi',
);

/** From a role's statement on that has the word PASSWORD, nothing behind that word is shown; of a statement with a connector the values of its secret options are not; of a DO with that word in its block nothing, as what is given lies in its variables. */
export function withoutPasswords(sql: string): string {
  const block = BLOCK.exec(sql)?.index;
  if (block !== undefined && PASSWORD.test(sql.slice(block))) return `${withoutPasswords(sql.slice(0, block))}DO ...`;
  const start = OF_ROLES.exec(sql)?.index;
  if (start === undefined) return CONNECTOR.test(sql) ? sql.replace(OPTION, '$1...') : sql;
  const word = PASSWORD.exec(sql.slice(start));
  return word === null ? sql : `${sql.slice(0, start + word.index + word[0].length)} ...`;
}
