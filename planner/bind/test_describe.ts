/**
 * For tests: what this binder and PostgreSQL say of a statement, in one form.
 */
import type { PGlite } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import { FIRST_USER_OID, OID } from '../../operators/types.ts';
import type { CatalogReader } from '../catalog_reader.ts';
import { parse } from '../parse/parse.ts';
import type { BindEnv } from './env.ts';
import { bindDelete, bindInsert, bindUpdate } from './modify.ts';
import { bindQuery } from './query.ts';
import { testEnv } from './test_catalog.ts';

export interface Description {
  columns?: string[];
  parameters?: number[];
  error?: string;
}

export async function describeThere(db: PGlite, sql: string): Promise<Description> {
  try {
    const d = await db.describeQuery(sql);
    return {
      // Row types of tables have OIDs of their own in PostgreSQL; here they are records.
      columns: d.resultFields.map((f) => `${f.name} ${f.dataTypeID >= FIRST_USER_OID ? OID.record : f.dataTypeID}`),
      parameters: d.queryParams.map((p) => p.dataTypeID),
    };
  } catch (e) {
    const { code, message, position } = e as { code: string; message: string; position?: string };
    return { error: `${code} ${message}${position ? ` at ${position}` : ''}` };
  }
}

export function describeHere(catalog: CatalogReader, sql: string): Description {
  try {
    return bindHere(sql, testEnv(catalog));
  } catch (e) {
    if (!(e instanceof SqlError)) throw new Error(`${sql}: ${(e as Error).stack}`, { cause: e });
    const { position } = e.fields;
    return { error: `${e.sqlstate} ${e.message}${position ? ` at ${position}` : ''}` };
  }
}

function bindHere(sql: string, env: BindEnv): Description {
  const [statement] = parse(sql);
  switch (statement.k) {
    case 'select': {
      const q = bindQuery(statement.query, env);
      return { columns: q.columns.map((c) => `${c.col.name} ${c.col.type.oid}`), parameters: checked(q.parameters) };
    }
    case 'insert':
    case 'update':
    case 'delete': {
      const bind = { insert: bindInsert, update: bindUpdate, delete: bindDelete }[statement.k];
      const m = bind(statement.node, statement.text, env);
      const items = m.returning?.items ?? [];
      return { columns: items.map((i) => `${i.name} ${i.type.oid}`), parameters: checked(m.parameters) };
    }
    default:
      throw new SqlError('0A000', `${statement.k} is not bound`);
  }
}

/** What PostgreSQL checks after analysis: every parameter must have got a type. */
function checked(parameters: number[]): number[] {
  const open = parameters.findIndex((p) => p === 0 || p === OID.unknown);
  if (open >= 0) throw new SqlError('42P18', `could not determine data type of parameter $${open + 1}`);
  return parameters;
}
