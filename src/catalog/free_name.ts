/** Whether a name is free for an object. */
import { SqlError } from '../../operators/errors.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogObject, KIND_NAMES, type ObjectKind } from './objects.ts';
import { isOfServer } from './places.ts';

/** Relations whose rows are a type with the relation's name. */
const WITH_ROW_TYPE: ReadonlySet<ObjectKind> = new Set(['table', 'stream', 'view', 'materialized_view', 'sequence']);

/** 42P07 and its kin where it is not. `path`: of who takes it: what its transaction has dropped has no name. */
export function checkFree(
  catalog: Catalog,
  object: CatalogObject,
  name: string,
  path: string[],
  schema = object.schema,
): void {
  const { kind } = object;
  if (kind === 'function') {
    const { args } = object.proc;
    if (catalog.functionOf(schema, name, args, path) === undefined) return;
    const words = `${name}(${args.map((t) => formatType(t)).join(', ')})`;
    throw new SqlError('42723', `function ${words} already exists in schema "${schema}"`);
  }
  if (isOfServer(kind)) {
    if (catalog.ofServer(kind, name, path) === undefined) return;
    throw new SqlError('42710', `${KIND_NAMES[kind]} "${name}" already exists`);
  }
  const type = catalog.typeIn(schema, name, path) !== undefined;
  const other = catalog.in(schema, name, path);
  if (kind === 'type') {
    if (type || (other !== undefined && WITH_ROW_TYPE.has(other.kind)))
      throw new SqlError('42710', `type "${name}" already exists`);
    return;
  }
  if (other !== undefined) throw new SqlError('42P07', `relation "${name}" already exists`);
  if (!type || !WITH_ROW_TYPE.has(kind)) return;
  throw new SqlError('42710', `type "${name}" already exists`, {
    hint: "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.",
  });
}
