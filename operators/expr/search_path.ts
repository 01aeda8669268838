/**
 * Search paths of sessions, with the schema of the session's temporary objects in them.
 *
 *   search_path = 'a, b'            and pg_temp_3  ->  pg_temp_3, a, b               first, also before pg_catalog, and nothing is made in it unless TEMP says so
 *   search_path = 'a, pg_temp, b'   and pg_temp_3  ->  a, pg_temp, pg_temp_3, b      where pg_temp says; no schema has this name
 *
 * A session that has no temporary objects has no such schema, and no session has that of another.
 *
 * Behind it is what says that the session sees what its open transaction has made: pg_open_16384. No schema has such a name, and no setting can say it.
 */

/** What every session calls its own. */
export const OWN_TEMPORARY = 'pg_temp';

export const isTemporary = (schema: string): boolean => /^pg_temp_\d+$/.test(schema);

/** Where the temporary objects of the session are whose path it is; undefined: it has none. */
export function temporaryIn(path: string[]): string | undefined {
  return path.find(isTemporary);
}

/** What the path of a session has that sees what this transaction has made, before all others do. */
export const openMark = (transaction: number): string => `pg_open_${transaction}`;

/** The transaction whose mark the path has; null: there is none. */
export function openIn(path: string[]): number | null {
  const mark = path.find(isOpenMark);
  return mark === undefined ? null : Number(mark.slice('pg_open_'.length));
}

export const isOpenMark = (schema: string): boolean => /^pg_open_\d+$/.test(schema);

/** The path that a session searches whose temporary objects are in `temporary`, and whose open transaction is `open`, as its setting says it. */
export function pathWith(said: string[], temporary: string | null, open: number | null = null): string[] {
  const path = said.flatMap((schema) => {
    if (isOpenMark(schema)) return [];
    if (schema !== OWN_TEMPORARY && schema !== temporary) return isTemporary(schema) ? [] : [schema];
    return temporary === null ? [OWN_TEMPORARY] : [OWN_TEMPORARY, temporary];
  });
  if (temporary !== null && !path.includes(temporary)) path.unshift(temporary);
  return open === null ? path : [...path, openMark(open)];
}

/** Without what is searched though the setting does not say so. */
export function saidPath(path: string[]): string[] {
  const said = path.length > 0 && isTemporary(path[0]) ? path.slice(1) : path;
  return said.filter((schema) => schema !== OWN_TEMPORARY && !isOpenMark(schema));
}

/** Schemas in the order in which relations are looked for: pg_catalog before all others but temporary objects, unless the path has it. */
export function searchOrder(path: string[]): string[] {
  if (path.includes('pg_catalog')) return path;
  return path.length > 0 && isTemporary(path[0]) ? [path[0], 'pg_catalog', ...path.slice(1)] : ['pg_catalog', ...path];
}

/** The schemas in which a relation is looked for; `schema`: that was said. */
export function schemasOf(schema: string | undefined, path: string[]): string[] {
  if (schema === undefined) return searchOrder(path);
  return schema === OWN_TEMPORARY ? path.filter(isTemporary) : [schema];
}
