/**
 * Values of a Parquet column as text, one byte a character: as PostgreSQL's types read it (textOf), or in a row of JSON (jsonOf).
 *
 * A list is {a,b} for a column of an array type, and JSON for any other; structs and maps are JSON. Bytes without an annotation are a bytea's where that is what
 * they go to, and characters elsewhere: many writers do not annotate strings.
 */
import { isArrayType } from '../../operators/expr/array_types.ts';
import { OID } from '../../operators/types.ts';
import { latin1, type Shape } from './shape.ts';

/** Of a value. A file may say much with few bytes: a list names one long text of a dictionary again and again. */
const MOST_TEXT = 256 << 20;

class Items {
  readonly #texts: string[] = [];
  #length = 0;

  add(text: string): void {
    this.#length += text.length + 1;
    if (this.#length > MOST_TEXT) throw new Error(`a value has more than ${MOST_TEXT} bytes as text`);
    this.#texts.push(text);
  }

  get joined(): string {
    return this.#texts.join(',');
  }
}

/** `oid`: type of the column that it goes to. Null is NULL. */
export function textOf(shape: Shape, value: unknown, oid: number): string | null {
  if (value === null || value === undefined) return null;
  if (shape.k === 'leaf') return leafText(shape, value, oid);
  return shape.k === 'list' && isArrayType(oid) ? arrayText(shape.item, value as unknown[]) : jsonOf(shape, value, oid);
}

/** As a JSON value. */
export function jsonOf(shape: Shape, value: unknown, oid: number): string {
  if (value === null || value === undefined) return 'null';
  switch (shape.k) {
    case 'leaf': {
      const text = leafText(shape, value, oid);
      if (shape.bare && isBare(text)) return text;
      return oid === OID.json || oid === OID.jsonb ? ownJson(shape, text) : quoted(text);
    }
    case 'list': {
      const items = new Items();
      // A list of BigInt64Array is one, too.
      for (const item of value as Iterable<unknown>) items.add(jsonOf(shape.item, item, OID.text));
      return `[${items.joined}]`;
    }
    case 'struct': {
      const found = value as Record<string, unknown>;
      const fields = new Items();
      for (const [name, field] of shape.fields)
        fields.add(`${quoted(name)}:${jsonOf(field, found[utf8(name)], OID.text)}`);
      return `{${fields.joined}}`;
    }
    case 'map': {
      const entries = new Items();
      for (const [key, item] of Object.entries(value as Record<string, unknown>))
        entries.add(`${quoted(latin1(key))}:${jsonOf(shape.value, item, OID.text)}`);
      return `{${entries.joined}}`;
    }
  }
}

function leafText(shape: Extract<Shape, { k: 'leaf' }>, value: unknown, oid: number): string {
  if (shape.bytes && oid === OID.bytea) return `\\x${Buffer.from(value as Uint8Array).toString('hex')}`;
  return shape.text(value);
}

/** A text for a column of JSON is JSON. What is none is made so that it is none in any place: the row is malformed. */
function ownJson(shape: Extract<Shape, { k: 'leaf' }>, text: string): string {
  if (shape.bare) return quoted(text);
  try {
    JSON.parse(utf8(text));
    return text;
  } catch {
    return `${quoted(text)}!`;
  }
}

function arrayText(item: Shape, values: Iterable<unknown>): string {
  const items = new Items();
  for (const value of values) {
    if (value === null || value === undefined) items.add('NULL');
    else if (item.k === 'list') items.add(arrayText(item.item, value as unknown[]));
    else {
      const text = item.k === 'leaf' ? item.text(value) : jsonOf(item, value, OID.text);
      items.add(`"${text.replace(/["\\]/g, '\\$&')}"`);
    }
  }
  return `{${items.joined}}`;
}

/** A number or a truth value, not Infinity. */
function isBare(text: string): boolean {
  return /^(-?\d|true|false)/.test(text);
}

/** What JSON has an escape for. */
const SPECIAL = /["\\]|\p{Cc}/u;
const EACH_SPECIAL = /["\\]|\p{Cc}/gu;

export function quoted(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  const escaped = text.replace(EACH_SPECIAL, (c) => {
    if (c === '"' || c === '\\') return `\\${c}`;
    // Above are bytes of longer characters.
    return c < ' ' ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c;
  });
  return `"${escaped}"`;
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
