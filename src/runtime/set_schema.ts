/**
 * SET SCHEMA: an object goes to another schema, a table with its indexes and the sequences of its columns. What reads it knows it by its OID and goes on; views that name it
 * get that schema into their texts, as after a renaming (rename.ts):
 *
 *   FROM t, FROM old.t       ->  FROM new.t
 *   TUMBLE(t, at, ...)       ->  TUMBLE(new.t, at, ...)
 *
 * A view that cannot be bound so (it says old.t.x) keeps the relation where it is.
 */

import { SqlError } from '../../operators/errors.ts';
import { isTemporary, OWN_TEMPORARY } from '../../operators/expr/search_path.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { type CatalogObject, KIND_NAMES } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkCreate } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { ownedSequences } from './owned_sequences.ts';
import { changeReaders, editQuery } from './rename.ts';
import { nameTokens } from './view_query.ts';

/** What only the server puts things into. */
const CLOSED = ['pg_catalog', 'information_schema', 'tidemark'];

/** Checks it, and gives what does it; null when it is there already. */
export function setSchema(
  engine: TidemarkEngine,
  object: CatalogObject,
  to: string,
  session: SessionContext,
): (() => void) | null {
  const { catalog } = engine;
  checkMovable(engine, object, to, session);
  checkCreate(engine, to, session);
  if (object.schema === to) return null;
  const moved = withOwned(engine, object);
  for (const { name } of moved) {
    if (catalog.in(to, name, []) !== undefined)
      throw new SqlError('42P07', `relation "${name}" already exists in schema "${to}"`);
  }
  for (const { kind, name } of moved) {
    if (kind !== 'index' && catalog.typeIn(to, name, []) !== undefined)
      throw new SqlError('42710', `type "${name}" already exists in schema "${to}"`);
  }
  return () => {
    const from = object.schema;
    const move = (schema: string) => {
      for (const one of moved) catalog.move(one, schema);
    };
    changeReaders(engine, object, session, {
      edit(query, place, tokens) {
        const [first, last] = nameTokens(tokens, place);
        const range = { from: tokens[first].start, to: tokens[last].start };
        place.node.schemaname = to;
        editQuery(query, { ...range, text: `${quoteIdent(to)}.` });
      },
      change: () => move(to),
      undo: () => move(from),
      refused: (view) =>
        `cannot move "${object.name}", as ${KIND_NAMES[view.kind]} "${view.name}" could not be read in the new schema`,
    });
  };
}

export function checkMovable(
  engine: TidemarkEngine,
  object: CatalogObject,
  to: string,
  { searchPath }: SessionContext,
): void {
  const { kind, name, schema } = object;
  if (kind === 'index') {
    throw new SqlError('42809', `cannot change schema of index "${name}"`, {
      hint: 'Change the schema of the table instead.',
    });
  }
  if (kind === 'sequence' && object.owner !== null) {
    throw new SqlError('0A000', 'cannot move an owned sequence into another schema', {
      detail: `Sequence "${name}" is linked to table "${engine.catalog.get(object.owner.table)?.name}".`,
    });
  }
  if (isTemporary(schema) || isTemporary(to) || to === OWN_TEMPORARY)
    throw new SqlError('0A000', 'cannot move objects into or out of temporary schemas');
  if (!engine.catalog.seesSchema(to, searchPath)) throw new SqlError('3F000', `schema "${to}" does not exist`);
  if (CLOSED.includes(to)) throw new SqlError('42501', `permission denied for schema ${to}`);
}

/** The object with what is always in its schema. */
function withOwned(engine: TidemarkEngine, object: CatalogObject): CatalogObject[] {
  const { oid } = object;
  const indexes = engine.catalog.objects().filter((other) => other.kind === 'index' && other.on === oid);
  return [object, ...indexes, ...ownedSequences(engine, oid)];
}
