/** Names of relations as SQL has them: bids, shop.bids, "Odd name". What is not in quotes is folded. */
import { TidemarkError } from './tidemark_error.ts';

const PART = /("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{M}\p{N}_$]*)/u;
const NAME = new RegExp(`^${PART.source}(?:\\.${PART.source})?$`, 'u');

export function isName(text: string): boolean {
  return NAME.test(text.trim());
}

/** Each part in quotes: it is then no keyword and no other SQL. */
export function quotedName(text: string): string {
  const match = typeof text === 'string' ? NAME.exec(text.trim()) : null;
  if (match === null) throw new TidemarkError({ code: '42602', message: `"${String(text)}" is no name of a relation` });
  return match
    .slice(1)
    .filter((part) => part !== undefined)
    .map((part) => (part.startsWith('"') ? part : quoted(foldedAscii(part))))
    .join('.');
}

/** As PostgreSQL folds in UTF-8. */
function foldedAscii(part: string): string {
  return part.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
