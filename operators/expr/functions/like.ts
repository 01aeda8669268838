/** LIKE, ILIKE and their negations for text, name, bpchar and bytea, and like_escape. */

import { toLower } from '../text/letter_case.ts';
import { like, likeBytes, likeEscape } from '../text/like.ts';
import { register } from './registry.ts';

const ilike = (text: string, pattern: string) => like(toLower(text), toLower(pattern));

for (const [prefix, type] of [
  ['text', 'text'],
  ['name', 'name'],
  ['bpchar', 'bpchar'],
]) {
  register(`${prefix}like(${type},text)`, (t: string, p: string) => like(t, p));
  register(`${prefix}nlike(${type},text)`, (t: string, p: string) => !like(t, p));
  register(`${prefix}iclike(${type},text)`, ilike);
  register(`${prefix}icnlike(${type},text)`, (t: string, p: string) => !ilike(t, p));
}
for (const type of ['text', 'name']) {
  register(`like(${type},text)`, (t: string, p: string) => like(t, p));
  register(`notlike(${type},text)`, (t: string, p: string) => !like(t, p));
}
for (const name of ['bytealike', 'like']) {
  register(`${name}(bytea,bytea)`, (t: Uint8Array, p: Uint8Array) => likeBytes(t, p));
}
for (const name of ['byteanlike', 'notlike']) {
  register(`${name}(bytea,bytea)`, (t: Uint8Array, p: Uint8Array) => !likeBytes(t, p));
}

register('like_escape(text,text)', likeEscape);
register('like_escape(bytea,bytea)', (pattern: Uint8Array, escapeByte: Uint8Array) => {
  // Bytes as code units 0..255 go through the same rewriting.
  const rewritten = likeEscape(Buffer.from(pattern).toString('latin1'), Buffer.from(escapeByte).toString('latin1'));
  return Uint8Array.from(Buffer.from(rewritten, 'latin1'));
});
