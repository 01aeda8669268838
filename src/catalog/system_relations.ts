/** What the catalog asks of the server's own relations: they are no objects of it. */
import type { Relation } from '../../planner/catalog_reader.ts';

/** Relations that the server computes: pg_class, tidemark.sources, ... */
export interface SystemRelations {
  relation(schema: string | undefined, name: string): Relation | null;
  relationByOid(oid: number): Relation | null;
  tableFunction(
    schema: string | undefined,
    name: string,
    args: (string | null)[],
    searchPath?: string[],
  ): Relation | null;
}
