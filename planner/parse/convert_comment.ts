/** COMMENT ON as Tidemark's statement. What it is about and Tidemark has not (roles, functions) stays a utility statement, without effect. */
import type { CommentTarget, PgNode, Statement } from './ast.ts';
import { functionName } from './convert_function.ts';
import { qualified, strings } from './node_fields.ts';
import type { Source } from './positions.ts';

const RELATIONS = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized_view',
  OBJECT_INDEX: 'index',
  OBJECT_SEQUENCE: 'sequence',
} as const;

/** Null where the object is no relation, part of one, type, function, schema or extension. An empty comment is none, as in PostgreSQL. */
export function comment({ objtype, object, comment: text }: PgNode, source: Source): Statement | null {
  const on = targetOf(objtype, object);
  return on === null ? null : { ...source, k: 'comment', on, comment: text === '' ? null : (text ?? null) };
}

function targetOf(objtype: string, object: PgNode): CommentTarget | null {
  if (objtype === 'OBJECT_SCHEMA') return { kind: 'schema', name: object.String.sval };
  if (objtype === 'OBJECT_DOMAIN') return { kind: 'domain', ...qualified(strings(object.TypeName.names)) };
  if (objtype === 'OBJECT_DOMCONSTRAINT') {
    const [{ TypeName: type }, constraint] = object.List.items;
    return { kind: 'domain_constraint', ...qualified(strings(type.names)), constraint: constraint.String.sval };
  }
  if (objtype === 'OBJECT_EXTENSION') return { kind: 'extension', name: object.String.sval };
  if (objtype === 'OBJECT_TYPE') return { kind: 'type', ...qualified(strings(object.TypeName.names)) };
  if (objtype === 'OBJECT_FUNCTION') return { kind: 'function', ...functionName(object.ObjectWithArgs) };
  const kind = RELATIONS[objtype as keyof typeof RELATIONS];
  const parts = strings(object.List?.items);
  if (kind !== undefined) return { kind, ...qualified(parts) };
  const part = parts.pop() as string;
  if (objtype === 'OBJECT_COLUMN') return { kind: 'column', ...qualified(parts), column: part };
  return objtype === 'OBJECT_TABCONSTRAINT' ? { kind: 'constraint', ...qualified(parts), constraint: part } : null;
}
