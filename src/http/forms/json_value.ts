/**
 * One value of a result as JSON, from its text:
 *
 *   smallint, integer, oid, real, double precision   a number; NaN and the infinities as strings, for JSON has none
 *   bigint, numeric                                  a string with all digits: JavaScript and others read numbers of JSON as doubles
 *   boolean                                          true, false
 *   json, jsonb                                      itself
 *   arrays                                           lists of these
 *   all other                                        a string, as PostgreSQL shows it
 */
import { parse as parseArray } from 'postgres-array';

export type ToJson = (text: string) => string;

const number: ToJson = (text) => (/^(NaN|-?Infinity)$/.test(text) ? `"${text}"` : text);
/** A line break between the words of a document would end a line of NDJSON or SSE; in a string it is written as \n. */
const document: ToJson = (text) => text.replace(/[\r\n]+/g, ' ');

const BY_TYPE: Record<string, ToJson> = {
  smallint: number,
  integer: number,
  oid: number,
  real: number,
  'double precision': number,
  boolean: (text) => (text === 't' ? 'true' : 'false'),
  json: document,
  jsonb: document,
};

/** `base`: a type's name without modifier. */
export function jsonOf(base: string): ToJson {
  if (!base.endsWith('[]')) return BY_TYPE[base] ?? JSON.stringify;
  const element = jsonOf(base.slice(0, -2));
  return (text) => list(parseArray(text, element));
}

type JsonItem = string | null | JsonItem[];

function list(items: JsonItem[]): string {
  return `[${items.map((item) => (Array.isArray(item) ? list(item) : (item ?? 'null'))).join(',')}]`;
}
