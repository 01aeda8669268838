/** The object that DROP names. */
import { SqlError } from '../../operators/errors.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogObject, KIND_NAMES, type ObjectKind } from './objects.ts';

function found(
  catalog: Catalog,
  kind: ObjectKind,
  schema: string | undefined,
  name: string,
  searchPath: string[],
): CatalogObject | undefined {
  if (kind === 'extension') return catalog.seenExtension(name, searchPath);
  if (kind === 'publication') return catalog.ofServer('publication', name, searchPath);
  if (kind === 'slot') return catalog.ofServer('slot', name, searchPath);
  return kind === 'type' ? catalog.findType(schema, name, searchPath) : catalog.find(schema, name, searchPath);
}

/** 42P01-like when missing, 42809 when it is of another kind. Null when missing and `ifExists`. */
export function forDrop(
  catalog: Catalog,
  kind: ObjectKind,
  { schema, name }: { schema?: string; name: string },
  searchPath: string[],
  ifExists: boolean,
): CatalogObject | null {
  const object = found(catalog, kind, schema, name, searchPath);
  if (object === undefined) {
    if (ifExists) return null;
    const code = ['index', 'sink', 'subscription', 'type', 'extension', 'publication', 'slot'].includes(kind)
      ? '42704'
      : '42P01';
    throw new SqlError(code, `${KIND_NAMES[kind]} "${name}" does not exist`);
  }
  if (object.kind !== kind) {
    throw new SqlError('42809', `"${name}" is not a ${KIND_NAMES[kind]}`, {
      hint: `Use DROP ${KIND_NAMES[object.kind].toUpperCase()} to remove a ${KIND_NAMES[object.kind]}.`,
    });
  }
  return object;
}
