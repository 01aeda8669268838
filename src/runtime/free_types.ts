/**
 * What tables have of types, functions and extensions that go: columns, defaults, CHECKs, as by ALTER TABLE, each written down as such a statement.
 *
 *   DROP TYPE mood CASCADE   ->   ALTER TABLE a DROP COLUMN m CASCADE · ALTER TABLE b ... · DROP TYPE mood      all in one turn
 *
 * What refuses is asked before anything is done, and connections are closed afterwards. The records are a run of the log, which a power cut leaves whole or not at all: it begins here, and the
 * caller ends it behind the DROP.
 */
import { isTemporary } from '../../operators/expr/search_path.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { parse } from '../../planner/parse/parse.ts';
import { type CatalogObject, KIND_NAMES } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { afterOthers, alterColumnsNow, altersColumns } from './alter_columns.ts';
import { alterRelation, ownTable } from './alter_relation.ts';
import { checkNotFollowed } from './column_readers.ts';
import { tellCascade } from './dependents.ts';
import type { TidemarkEngine } from './engine.ts';
import { wordsOf } from './kept_users.ts';
import { checkNotOthers } from './open_objects.ts';
import { sessionWith } from './session_with.ts';
import { settleReplaced } from './settle_at_once.ts';
import { type TypeUse, type Used, usesInTables } from './type_users.ts';

/** What is left to do for what was dropped. */
export type Closing = (() => Promise<void>) | null;

/** `schemas` go with all that they have. */
export function usesOf(
  engine: TidemarkEngine,
  types: Used[],
  schemas: string[],
  { searchPath }: SessionContext,
): TypeUse[] {
  const uses = types.flatMap((type) => usesInTables(engine, type, searchPath));
  return uses.filter(({ table }) => !schemas.includes(table.schema));
}

/** `drop`: takes an object away; `closing`: gets what it gives. Another session may use the types again before the caller goes on. Gives what ends the run of the log's records. */
export function freeTypes(
  engine: TidemarkEngine,
  types: Used[],
  schemas: string[],
  drop: (object: CatalogObject) => Closing,
  closing: Closing[],
  session: SessionContext,
  signal: AbortSignal,
): Promise<() => void> {
  const { log } = engine.journal ?? {};
  const later = (object: CatalogObject) => {
    closing.push(drop(object));
    return null;
  };
  const free = async (type: Used) => {
    const gone: string[] = [];
    const notice: SessionContext['notice'] = (severity, _sqlstate, message, fields) => {
      if (severity === 'NOTICE') gone.push(...(fields?.detail ?? message).split('\n'));
    };
    const uses = () => usesOf(engine, [type], schemas, session);
    for (let [use] = uses(); use !== undefined; [use] = uses()) {
      const { schema, name } = use.table;
      const [statement] = parse(`ALTER TABLE ${quoteIdent(schema)}.${quoteIdent(name)} ${use.action}`);
      if (statement.k !== 'alter_relation') throw new Error('an ALTER TABLE is one');
      gone.push(`drop cascades to ${use.text}`);
      // Temporary tables of other sessions have it no longer either.
      const heard = sessionWith(session, { notice, ...(isTemporary(schema) ? { searchPath: [schema] } : {}) });
      if (altersColumns(statement)) await alterColumnsNow(engine, statement, heard, signal, later);
      else alterRelation(engine, statement, heard, signal);
    }
    const on = wordsOf(type);
    tellCascade(
      gone.map((line) => ({ text: line.replace(/^drop cascades to /, ''), on })),
      session,
    );
  };
  return afterOthers(engine, async () => {
    const uses = usesOf(engine, types, schemas, session);
    for (const { table, action } of uses) {
      checkNotOthers(engine, `${KIND_NAMES[table.kind]} ${table.name}`, table.oid, session);
      ownTable(table, 'DROP COLUMN');
      if (action.startsWith('DROP COLUMN')) checkNotFollowed(engine, table);
    }
    settleReplaced(
      engine,
      uses.map(({ table }) => table.oid),
      session,
    );
    log?.beginRun();
    try {
      for (const type of types) await free(type);
    } catch (error) {
      log?.endRun();
      throw error;
    }
    let ended = false;
    return () => {
      if (!ended) log?.endRun();
      ended = true;
    };
  });
}
