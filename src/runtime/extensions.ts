/**
 * CREATE EXTENSION: the functions of an extension are part of the program, and are found from then on. plpgsql is there from the beginning, as in PostgreSQL: it is what dumps and
 * migrations ask for first; and so is what the schema tidemark belongs to.
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { EXTENSIONS, extensionNamed as knownExtension } from '../../planner/types/extension_functions.ts';
import type { ExtensionObject } from '../catalog/objects.ts';
import { CREATE } from '../catalog/privileges.ts';
import type { SessionContext } from '../engine.ts';
import { checkDatabase } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkNotOthers } from './open_objects.ts';
import { targetSchema } from './target_schema.ts';

const BUILT_IN: ReadonlySet<string> = new Set(['plpgsql', 'tidemark']);

/** It comes with the server, and is no object of the catalog. */
export const isBuiltIn = (name: string): boolean => BUILT_IN.has(name);

export function createExtension(
  engine: TidemarkEngine,
  { name, schema: written, version, ifNotExists, text }: Extract<Statement, { k: 'create_extension' }>,
  session: SessionContext,
): void {
  const { catalog } = engine;
  const existing = catalog.ofServer('extension', name, session.searchPath);
  if (existing !== undefined) checkNotOthers(engine, `extension "${name}"`, existing.oid, session);
  if (isBuiltIn(name) || existing !== undefined) {
    if (!ifNotExists) throw new SqlError('42710', `extension "${name}" already exists`);
    session.notice('NOTICE', '42710', `extension "${name}" already exists, skipping`);
    return;
  }
  checkDatabase(engine, CREATE, session);
  const known = knownExtension(name);
  if (known === undefined) {
    const names = ['plpgsql', ...EXTENSIONS.map((extension) => extension.name)].sort();
    throw new SqlError('0A000', `extension "${name}" is not available`, {
      detail: `Tidemark has ${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}.`,
      hint: 'Extensions are part of the program: none can be added to it.',
    });
  }
  if (version !== undefined && version !== known.version) {
    throw new SqlError(
      '22023',
      `extension "${name}" has no installation script nor update path for version "${version}"`,
      { hint: `Its version is ${known.version}.` },
    );
  }
  const schema = targetSchema(engine, { schema: written }, session);
  if (isTemporary(schema)) throw new SqlError('0A000', 'an extension cannot be in a temporary schema');
  const oid = catalog.newOid();
  engine.define({ kind: 'extension', oid, schema, name, sql: text, dependencies: [] }, session);
}

/** 42704 when it is not there. */
export function extensionNamed({ catalog }: TidemarkEngine, name: string, session: SessionContext): ExtensionObject {
  const found = catalog.seenExtension(name, session.searchPath);
  if (found === undefined) throw new SqlError('42704', `extension "${name}" does not exist`);
  return found;
}
