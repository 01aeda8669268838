/** Changing a part of a jsonb value by a text[] path: #-, jsonb_set, jsonb_insert. */
import { SqlError } from '../../errors.ts';
import { isObject, isScalar, type Json, jsonObject } from './value.ts';

export type Path = (string | null)[];

const INTEGER = /^\s*[+-]?\d+$/;

/** The index a path element means in an array of n items, negative counting from the end; undefined when it is no integer. */
export function arrayIndex(element: string, n: number): number | undefined {
  if (!INTEGER.test(element)) return undefined;
  const i = Number(element);
  if (i > 2147483647 || i < -2147483648) return undefined;
  return i < 0 ? n + i : i;
}

export type PathChange =
  | { kind: 'set'; value: Json; create: boolean }
  | { kind: 'insert'; value: Json; after: boolean }
  | { kind: 'delete' };

/** The value with a change at a path; a path that leads nowhere changes nothing. */
export function changePath(j: Json, path: Path, change: PathChange, depth = 0): Json {
  const element = path[depth];
  const last = depth === path.length - 1;
  if (element === null) {
    throw new SqlError('22004', `path element at position ${depth + 1} is null`);
  }
  if (isScalar(j)) return j;
  if (isObject(j)) {
    const entries = [...j.entries];
    const at = entries.findIndex(([key]) => key === element);
    if (at >= 0) {
      if (!last) entries[at] = [element, changePath(entries[at][1], path, change, depth + 1)];
      else if (change.kind === 'delete') entries.splice(at, 1);
      else if (change.kind === 'set') entries[at] = [element, change.value];
      else {
        throw new SqlError('22023', 'cannot replace existing key', {
          hint: 'Try using the function jsonb_set to replace key value.',
        });
      }
    } else if (last && (change.kind === 'insert' || (change.kind === 'set' && change.create))) {
      entries.push([element, change.value]);
    }
    return jsonObject(entries);
  }
  const items = [...j];
  if (!INTEGER.test(element) || !Number.isSafeInteger(Number(element)) || Math.abs(Number(element)) > 2147483648) {
    throw new SqlError('22P02', `path element at position ${depth + 1} is not an integer: "${element}"`);
  }
  const asked = Number(element);
  const found = asked < 0 ? items.length + asked : asked;
  if (found >= 0 && found < items.length) {
    if (!last) items[found] = changePath(items[found], path, change, depth + 1);
    else if (change.kind === 'delete') items.splice(found, 1);
    else if (change.kind === 'set') items[found] = change.value;
    else items.splice(change.after ? found + 1 : found, 0, change.value);
  } else if (last && change.kind !== 'delete' && (change.kind === 'insert' || change.create)) {
    // Before the start goes in front, past the end goes behind.
    if (found < 0) items.unshift(change.value);
    else items.push(change.value);
  }
  return items;
}
