/** Functions and operators over jsonb. A jsonb datum is canonical text; each call reads it, works on the tree and writes it. */
import type { Datum, PgArray } from '../../datum.ts';
import { isDecimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { compareJsonb } from '../json/compare.ts';
import { changePath, type Path } from '../json/path.ts';
import {
  contains,
  hasKey,
  isObject,
  isScalar,
  type Json,
  jsonbText,
  jsonObject,
  parseJsonb,
  scalarText,
  typeName,
} from '../json/value.ts';
import { comparisons, support } from './comparisons.ts';
import { pairsOfArray, pairsOfArrays, requireKey } from './json.ts';
import { register, registerSet, requireFunction } from './registry.ts';

const invalid = (message: string) => new SqlError('22023', message);

comparisons('jsonb_', 'jsonb', 'jsonb', compareJsonb);
support('jsonb_cmp(jsonb,jsonb)', compareJsonb);

const pathOf = (a: PgArray) => a.items as Path;

for (const [suffix, render] of [
  ['', jsonbText],
  ['_text', scalarText],
] as [string, (j: Json) => string | null][]) {
  registerSet(`jsonb_array_elements${suffix}(jsonb)`, (d: string) => {
    const j = parseJsonb(d);
    if (!Array.isArray(j)) throw invalid(`cannot extract elements from ${isObject(j) ? 'an object' : 'a scalar'}`);
    return j.map((item) => [render(item)]);
  });
  registerSet(`jsonb_each${suffix}(jsonb)`, (d: string) => {
    const j = parseJsonb(d);
    if (!isObject(j)) throw invalid(`cannot call jsonb_each${suffix} on a non-object`);
    return j.entries.map(([key, value]) => [key, render(value)]);
  });
}

registerSet('jsonb_object_keys(jsonb)', (d: string) => {
  const j = parseJsonb(d);
  if (!isObject(j)) throw invalid(`cannot call jsonb_object_keys on ${Array.isArray(j) ? 'an array' : 'a scalar'}`);
  return j.entries.map(([key]) => [key]);
});

register('jsonb_array_length(jsonb)', (d: string) => {
  const j = parseJsonb(d);
  if (!Array.isArray(j)) throw invalid(`cannot get array length of a ${isObject(j) ? 'non-array' : 'scalar'}`);
  return j.length;
});
register('jsonb_typeof(jsonb)', (d: string) => typeName(parseJsonb(d)));

register('jsonb_contains(jsonb,jsonb)', (a: string, b: string) => contains(parseJsonb(a), parseJsonb(b)));
register('jsonb_contained(jsonb,jsonb)', (a: string, b: string) => contains(parseJsonb(b), parseJsonb(a)));
register('jsonb_exists(jsonb,text)', (d: string, key: string) => hasKey(parseJsonb(d), key));
const keysOf = (keys: PgArray) => keys.items.filter((k): k is string => k !== null);
register('jsonb_exists_any(jsonb,_text)', (d: string, keys: PgArray) => {
  const j = parseJsonb(d);
  return keysOf(keys).some((key) => hasKey(j, key));
});
register('jsonb_exists_all(jsonb,_text)', (d: string, keys: PgArray) => {
  const j = parseJsonb(d);
  return keysOf(keys).every((key) => hasKey(j, key));
});

function concat(a: Json, b: Json): Json {
  if (isObject(a) && isObject(b)) return jsonObject([...a.entries, ...b.entries]);
  const items = (j: Json) => (Array.isArray(j) ? j : [j]);
  return [...items(a), ...items(b)];
}
register('jsonb_concat(jsonb,jsonb)', (a: string, b: string) => jsonbText(concat(parseJsonb(a), parseJsonb(b))));

function withoutKeys(j: Json, keys: string[]): Json {
  if (isScalar(j)) throw invalid('cannot delete from scalar');
  if (isObject(j)) return { k: 'object', entries: j.entries.filter(([key]) => !keys.includes(key)) };
  return (j as Json[]).filter((item) => typeof item !== 'string' || !keys.includes(item));
}
register('jsonb_delete(jsonb,text)', (d: string, key: string) => jsonbText(withoutKeys(parseJsonb(d), [key])));
register('jsonb_delete(jsonb,_text)', (d: string, keys: PgArray) => {
  oneDimension(keys);
  return jsonbText(withoutKeys(parseJsonb(d), keysOf(keys)));
});
register('jsonb_delete(jsonb,int4)', (d: string, index: number) => {
  const j = parseJsonb(d);
  if (isScalar(j)) throw invalid('cannot delete from scalar');
  if (isObject(j)) throw invalid('cannot delete from object using integer index');
  const items = [...(j as Json[])];
  const at = index < 0 ? items.length + index : index;
  if (at >= 0 && at < items.length) items.splice(at, 1);
  return jsonbText(items);
});

/** [] or {}: nothing to delete or replace, so the path is not even looked at. */
function isEmpty(j: Json): boolean {
  return Array.isArray(j) ? j.length === 0 : isObject(j) && j.entries.length === 0;
}

function oneDimension(path: PgArray): void {
  if (path.dims.length > 1) throw new SqlError('2202E', 'wrong number of array subscripts');
}

register('jsonb_delete_path(jsonb,_text)', (d: string, path: PgArray) => {
  oneDimension(path);
  const j = parseJsonb(d);
  if (isScalar(j)) throw invalid('cannot delete path in scalar');
  return path.items.length === 0 || isEmpty(j) ? d : jsonbText(changePath(j, pathOf(path), { kind: 'delete' }));
});

function setPath(d: string, path: PgArray, value: string, create: boolean): string {
  oneDimension(path);
  const j = parseJsonb(d);
  if (isScalar(j)) throw invalid('cannot set path in scalar');
  if (path.items.length === 0 || (!create && isEmpty(j))) return d;
  return jsonbText(changePath(j, pathOf(path), { kind: 'set', value: parseJsonb(value), create }));
}
register('jsonb_set(jsonb,_text,jsonb,bool)', setPath);

register(
  'jsonb_set_lax(jsonb,_text,jsonb,bool,text)',
  (d: string | null, path: PgArray | null, value: string | null, create: boolean | null, treatment: string | null) => {
    if (d === null || path === null || create === null) return null;
    if (treatment === null) {
      throw new SqlError(
        '22004',
        'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
      );
    }
    if (value !== null) return setPath(d, path, value, create);
    switch (treatment) {
      case 'raise_exception':
        throw new SqlError('22004', 'JSON value must not be null', {
          detail: 'Exception was raised because null_value_treatment is "raise_exception".',
          hint: 'To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.',
        });
      case 'use_json_null':
        return setPath(d, path, 'null', create);
      case 'delete_key':
        return requireFunction('jsonb_delete_path(jsonb,_text)')(d, path);
      case 'return_target':
        return d;
      default:
        throw invalid(
          'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
        );
    }
  },
);

register('jsonb_insert(jsonb,_text,jsonb,bool)', (d: string, path: PgArray, value: string, after: boolean) => {
  oneDimension(path);
  const j = parseJsonb(d);
  if (isScalar(j)) throw invalid('cannot set path in scalar');
  if (path.items.length === 0) return d;
  return jsonbText(changePath(j, pathOf(path), { kind: 'insert', value: parseJsonb(value), after }));
});

function pretty(j: Json, depth: number): string {
  const pad = '    '.repeat(depth + 1);
  const close = '    '.repeat(depth);
  const body = (parts: string[]) => (parts.length === 0 ? '' : `${parts.map((p) => pad + p).join(',\n')}\n`);
  if (Array.isArray(j)) return `[\n${body(j.map((item) => pretty(item, depth + 1)))}${close}]`;
  if (!isObject(j)) return jsonbText(j);
  const fields = j.entries.map(([key, value]) => `${jsonbText(key)}: ${pretty(value, depth + 1)}`);
  return `{\n${body(fields)}${close}}`;
}
register('jsonb_pretty(jsonb)', (d: string) => pretty(parseJsonb(d), 0));

function stripNulls(j: Json, inArrays: boolean): Json {
  if (Array.isArray(j)) return j.filter((item) => !inArrays || item !== null).map((item) => stripNulls(item, inArrays));
  if (!isObject(j)) return j;
  const kept = j.entries.filter(([, value]) => value !== null);
  return { k: 'object', entries: kept.map(([key, value]) => [key, stripNulls(value, inArrays)]) };
}
register('jsonb_strip_nulls(jsonb,bool)', (d: string, inArrays: boolean) =>
  jsonbText(stripNulls(parseJsonb(d), inArrays)),
);
register('jsonb_strip_nulls(jsonb)', (d: string) => jsonbText(stripNulls(parseJsonb(d), false)));

const objectText = (pairs: [Datum, Datum][]) =>
  jsonbText(jsonObject(pairs.map(([key, value]): [string, Json] => [requireKey(key), value as string | null])));
register('jsonb_object(_text)', (a: PgArray) => objectText(pairsOfArray(a)));
register('jsonb_object(_text,_text)', (keys: PgArray, values: PgArray) => objectText(pairsOfArrays(keys, values)));

/** Casts to SQL types: JSON null is NULL, anything but the right kind of scalar is 22023. */
function castTo(type: string, sqlName: string, convert: (j: Json) => Datum | undefined): void {
  register(`${type}(jsonb)`, (d: string) => {
    const j = parseJsonb(d);
    if (j === null) return null;
    const value = convert(j);
    if (value === undefined)
      throw invalid(`cannot cast jsonb ${isDecimal(j as Datum) ? 'numeric' : typeName(j)} to type ${sqlName}`);
    return value;
  });
}
castTo('bool', 'boolean', (j) => (typeof j === 'boolean' ? j : undefined));
for (const [type, sqlName] of [
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
  ['float4', 'real'],
  ['float8', 'double precision'],
] as const) {
  castTo(type, sqlName, (j) =>
    typeName(j) === 'number' ? requireFunction(`${type}(numeric)`)(j as Datum) : undefined,
  );
}
castTo('numeric', 'numeric', (j) => (typeName(j) === 'number' && isDecimal(j as Datum) ? (j as Datum) : undefined));
