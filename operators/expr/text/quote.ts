/** quote_ident and quote_literal. */
import { QUOTED_KEYWORDS } from './keywords.ts';

const SAFE_IDENTIFIER = /^[a-z_][a-z0-9_]*$/;

/** An identifier, in double quotes where SQL needs them. */
export function quoteIdent(name: string): string {
  if (SAFE_IDENTIFIER.test(name) && !QUOTED_KEYWORDS.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal; E'' form when it has backslashes. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}
