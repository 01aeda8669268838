/**
 * What a path runs over: jsonb values, and the datetimes that its methods make. And the two kinds of errors: a PathError is one of
 * the path over this document, which filters take for unknown and `silent` for an end; any other SqlError is nobody's to catch.
 */
import type { Decimal } from '../../../datum.ts';
import { isValueError, SqlError } from '../../../errors.ts';
import { isObject, type Json, type JsonObject, typeName } from '../value.ts';
import { datetimeText, type PathDatetime, typeText } from './datetime.ts';

export type Item = Json | PathDatetime;

export class PathError extends SqlError {}

export function isDatetime(item: Item): item is PathDatetime {
  return item !== null && typeof item === 'object' && 'k' in item && item.k === 'datetime';
}

export function isNumber(item: Item): item is Decimal {
  return item !== null && typeof item === 'object' && 'k' in item && item.k === 'dec';
}

export function isObjectItem(item: Item): item is JsonObject {
  return !isDatetime(item) && isObject(item);
}

/** What .type() gives. */
export function itemType(item: Item): string {
  return isDatetime(item) ? typeText(item) : typeName(item);
}

/** The jsonb value of a result: datetimes become strings. */
export function jsonOfItem(item: Item): Json {
  return isDatetime(item) ? datetimeText(item) : item;
}

/** Runs what raises ordinary errors; they become errors of the path. */
export function soft<T>(run: () => T, error: (e: SqlError) => PathError = softened): T {
  try {
    return run();
  } catch (e) {
    if (!isValueError(e)) throw e;
    throw error(e);
  }
}

function softened(e: SqlError): PathError {
  return new PathError(e.sqlstate, e.message, e.fields);
}
