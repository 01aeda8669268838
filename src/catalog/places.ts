/** Under which key the catalog has an object: names that do not take each other's place have different ones. */
import type { CatalogObject, ObjectKind } from './objects.ts';

/** Types have names of their own beside those of relations, and so have functions, with the types of their arguments; extensions, publications and slots are of no schema. */
export function placeOf(object: CatalogObject): string {
  const { kind, schema, name } = object;
  if (kind === 'function') return functionPlace(schema, name, object.proc.args);
  if (isOfServer(kind)) return serverPlace(kind, name);
  return kind === 'type' ? typePlace(schema, name) : relationPlace(schema, name);
}

/** Of all that has no names of its kind's own. */
export const relationPlace = (schema: string, name: string): string => `${schema}.${name}`;

export const functionPlace = (schema: string, name: string, args: number[]): string =>
  `function ${schema}.${name}(${args.join()})`;

export const typePlace = (schema: string, name: string): string => `type ${schema}.${name}`;

export type ServerKind = 'extension' | 'publication' | 'slot';

export const isOfServer = (kind: ObjectKind): kind is ServerKind =>
  kind === 'extension' || kind === 'publication' || kind === 'slot';

/** Whether it goes with the schema: what is of no schema does not, but for extensions, which have one for what they make. */
export const isInSchema = ({ kind, schema }: CatalogObject, name: string | undefined): boolean =>
  schema === name && kind !== 'publication' && kind !== 'slot';

export const serverPlace = (kind: ServerKind, name: string): string => `${kind} ${name}`;
