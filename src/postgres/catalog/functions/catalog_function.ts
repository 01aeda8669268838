/** The shape of an answerer: arguments as the function got them (NULL where it is not strict), and the moment of the call. */
import type { Datum } from '../../../../operators/datum.ts';
import type { Moment } from '../catalog_relation.ts';

export type CatalogFunction = (args: Datum[], moment: Moment) => Datum;
export type CatalogFunctions = Record<string, CatalogFunction>;

/** An argument that is text by the function's signature. */
export function textOf(value: Datum): string {
  return value === null ? '' : String(value);
}

/** An argument that is an OID or an integer by the function's signature. */
export function numberOf(value: Datum): number {
  return Number(value ?? 0);
}
