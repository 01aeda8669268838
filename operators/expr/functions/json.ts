/**
 * Functions over the json type, whose values are text: parts are cut out as they were written. NULL text of JSON null, and
 * PostgreSQL's own words for what is no array or no object.
 */
import type { Datum, PgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import {
  decodeString,
  type JsonArrayNode,
  type JsonNode,
  type JsonObjectNode,
  type JsonStringNode,
  parseJson,
} from '../json/parse.ts';
import { arrayIndex } from '../json/path.ts';
import { quoteJson } from '../json/value.ts';
import { register, registerSet } from './registry.ts';

const invalid = (message: string) => new SqlError('22023', message);

const source = (text: string, node: JsonNode) => text.slice(node.start, node.end);

/** A part as text: strings decoded, null as NULL. */
function textOf(text: string, node: JsonNode): string | null {
  if (node.kind === 'null') return null;
  return node.kind === 'string' ? decodeString(node) : source(text, node);
}

function field(node: JsonNode, key: string): JsonNode | undefined {
  if (node.kind !== 'object') return undefined;
  return node.entries.findLast((e) => decodeString(e.key) === key)?.value;
}

function element(node: JsonNode, index: number): JsonNode | undefined {
  if (node.kind !== 'array') return undefined;
  return node.items[index < 0 ? node.items.length + index : index];
}

function atPath(node: JsonNode, path: PgArray): JsonNode | undefined {
  let at: JsonNode | undefined = node;
  for (const item of path.items) {
    if (item === null || at === undefined) return undefined;
    if (at.kind === 'array') {
      const i = arrayIndex(item as string, at.items.length);
      at = i === undefined || i < 0 ? undefined : at.items[i];
    } else at = field(at, item as string);
  }
  return at;
}

type Render = (text: string, node: JsonNode) => string | null;

/** Parts of json and jsonb alike: a part of jsonb's canonical text is canonical. */
for (const type of ['json', 'jsonb']) {
  for (const [suffix, render] of [
    ['', source],
    ['_text', textOf],
  ] as [string, Render][]) {
    const part = (text: string, node: JsonNode | undefined) => (node === undefined ? null : render(text, node));
    register(`${type}_object_field${suffix}(${type},text)`, (text: string, key: string) =>
      part(text, field(parseJson(text), key)),
    );
    register(`${type}_array_element${suffix}(${type},int4)`, (text: string, index: number) => {
      const node = parseJson(text);
      // PostgreSQL stores a jsonb scalar as an array of one, and it shows here.
      if (type === 'jsonb' && node.kind !== 'array' && node.kind !== 'object') {
        return index === 0 || index === -1 ? render(text, node) : null;
      }
      return part(text, element(node, index));
    });
    register(`${type}_extract_path${suffix}(${type},_text)`, (text: string, path: PgArray) =>
      part(text, atPath(parseJson(text), path)),
    );
  }
}

for (const [suffix, render] of [
  ['', source],
  ['_text', textOf],
] as [string, Render][]) {
  registerSet(`json_array_elements${suffix}(json)`, (text: string) =>
    arrayOf(parseJson(text), `json_array_elements${suffix}`).items.map((item) => [render(text, item)]),
  );
  registerSet(`json_each${suffix}(json)`, (text: string) =>
    objectOf(parseJson(text)).entries.map((e) => [decodeString(e.key), render(text, e.value)]),
  );
}

function arrayOf(node: JsonNode, fn: string): JsonArrayNode {
  if (node.kind === 'array') return node;
  throw invalid(`cannot call ${fn} on a ${node.kind === 'object' ? 'non-array' : 'scalar'}`);
}

function objectOf(node: JsonNode): JsonObjectNode {
  if (node.kind === 'object') return node;
  throw invalid(node.kind === 'array' ? 'cannot deconstruct an array as an object' : 'cannot deconstruct a scalar');
}

registerSet('json_object_keys(json)', (text: string) => {
  const node = parseJson(text);
  if (node.kind === 'object') return node.entries.map((e) => [decodeString(e.key)]);
  throw invalid(`cannot call json_object_keys on ${node.kind === 'array' ? 'an array' : 'a scalar'}`);
});

register('json_array_length(json)', (text: string) => {
  const node = parseJson(text);
  if (node.kind === 'array') return node.items.length;
  throw invalid(`cannot get array length of a ${node.kind === 'object' ? 'non-array' : 'scalar'}`);
});

register('json_typeof(json)', (text: string) => {
  const { kind } = parseJson(text);
  return kind === 'true' || kind === 'false' ? 'boolean' : kind;
});

function stripNulls(text: string, node: JsonNode, inArrays: boolean): string {
  const inner = (n: JsonNode) => stripNulls(text, n, inArrays);
  switch (node.kind) {
    case 'object': {
      const kept = node.entries.filter((e) => e.value.kind !== 'null');
      return `{${kept.map((e) => `${rewritten(e.key)}:${inner(e.value)}`).join(',')}}`;
    }
    case 'array':
      return `[${node.items
        .filter((n) => !inArrays || n.kind !== 'null')
        .map(inner)
        .join(',')}]`;
    case 'string':
      return rewritten(node);
    default:
      return source(text, node);
  }
}

const rewritten = (node: JsonStringNode) => quoteJson(decodeString(node));

register('json_strip_nulls(json,bool)', (text: string, inArrays: boolean) =>
  stripNulls(text, parseJson(text), inArrays),
);
register('json_strip_nulls(json)', (text: string) => stripNulls(text, parseJson(text), false));

/** The pairs of json_object(text[]): a flat array of even length or an array of pairs. */
export function pairsOfArray(a: PgArray): [Datum, Datum][] {
  if (a.dims.length === 0) return [];
  if (a.dims.length === 1 && a.dims[0] % 2 !== 0)
    throw new SqlError('2202E', 'array must have even number of elements');
  if (a.dims.length === 2 && a.dims[1] !== 2) throw new SqlError('2202E', 'array must have two columns');
  if (a.dims.length > 2) throw new SqlError('2202E', 'wrong number of array subscripts');
  const pairs: [Datum, Datum][] = [];
  for (let i = 0; i < a.items.length; i += 2) pairs.push([a.items[i], a.items[i + 1]]);
  return pairs;
}

/** The pairs of json_object(text[], text[]). */
export function pairsOfArrays(keys: PgArray, values: PgArray): [Datum, Datum][] {
  if (keys.dims.length > 1 || keys.dims.length !== values.dims.length) {
    throw new SqlError('2202E', 'wrong number of array subscripts');
  }
  if (keys.items.length !== values.items.length) throw new SqlError('2202E', 'mismatched array dimensions');
  return keys.items.map((key, i) => [key, values.items[i]]);
}

/** A key of json_object; NULL is 22004. */
export function requireKey(key: Datum): string {
  if (key === null) throw new SqlError('22004', 'null value not allowed for object key');
  return key as string;
}

function objectText(pairs: [Datum, Datum][]): string {
  const parts = pairs.map(([key, value]) => {
    return `${quoteJson(requireKey(key))} : ${value === null ? 'null' : quoteJson(value as string)}`;
  });
  return `{${parts.join(', ')}}`;
}

register('json_object(_text)', (a: PgArray) => objectText(pairsOfArray(a)));
register('json_object(_text,_text)', (keys: PgArray, values: PgArray) => objectText(pairsOfArrays(keys, values)));
