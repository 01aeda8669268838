/** What a role has: objects of its own, privileges, defaults for what it makes. */
import { rolesIn } from '../catalog/privileges.ts';
import type { TidemarkEngine } from './engine.ts';
import { allSecurables } from './securables.ts';

const WORDS = {
  table: 'relations',
  sequence: 'sequences',
  schema: 'schemas',
  type: 'types',
  function: 'functions',
  database: 'databases',
};

/** What keeps a role from being dropped, in words, for who has this search path. */
export function dependentsOfRole(engine: TidemarkEngine, role: number, path: string[]): string[] {
  const { rights, roles } = engine.catalog;
  const gone = engine.catalog.schemaOids.filter((oid) => engine.catalog.isGone(oid, path));
  const places = gone.map((oid) => engine.catalog.placeOfSchemaAt(oid));
  const said: string[] = [];
  for (const { words, owner, acl } of allSecurables(engine, path)) {
    if (owner === role) said.push(`owner of ${words}`);
    else if (acl !== null && rolesIn(acl).includes(role)) said.push(`privileges for ${words}`);
  }
  for (const { role: of, schema, kind, acl } of rights.defaults) {
    if (schema !== null && places.includes(schema)) continue;
    if (of !== role && !rolesIn(acl).includes(role)) continue;
    const where = schema === null ? '' : ` in schema ${schema}`;
    const what = `default privileges on new ${WORDS[kind]} belonging to role ${roles.nameOf(of)}${where}`;
    said.push(`${of === role ? 'owner of' : 'privileges for'} ${what}`);
  }
  return said;
}
