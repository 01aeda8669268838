/** Those schemas of a search path that exist, found out once for each state of the catalog: every statement asks. */
import { isOpenMark, OWN_TEMPORARY } from '../../operators/expr/search_path.ts';
import type { Catalog } from '../catalog/catalog.ts';

export class ExistingSchemas {
  readonly #known = new WeakMap<string[], { version: number; existing: string[] }>();

  of(searchPath: string[], catalog: Catalog): string[] {
    const known = this.#known.get(searchPath);
    if (known !== undefined && known.version === catalog.version) return known.existing;
    const existing = searchPath.filter(
      (schema) => schema === OWN_TEMPORARY || isOpenMark(schema) || catalog.schemaOid(schema, searchPath) !== 0,
    );
    this.#known.set(searchPath, { version: catalog.version, existing });
    return existing;
  }
}
