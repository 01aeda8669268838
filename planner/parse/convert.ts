/**
 * One statement of Postgres's grammar as one of Tidemark's statements. Queries and expressions stay as libpg-query's nodes; only the
 * outermost node is read here. The converters by subject are in convert_ddl.ts, convert_alter.ts, convert_role.ts, convert_sequence.ts and convert_session.ts.
 */
import type { PgNode, SelectNode, Statement } from './ast.ts';
import { alterTable, rename, setSchema } from './convert_alter.ts';
import { comment } from './convert_comment.ts';
import {
  createExtension,
  createIndex,
  createSchema,
  createTable,
  createTableAs,
  createView,
  drop,
  dropSubscription,
  tableFromQuery,
  truncate,
} from './convert_ddl.ts';
import { doBlock } from './convert_do.ts';
import { alterDomain, createDomain, moveDomain, renameDomain } from './convert_domain.ts';
import { alterFunction, alterFunctionObject, createFunction } from './convert_function.ts';
import { alterPublication, createPublication } from './convert_publication.ts';
import {
  alterOwner,
  alterRole,
  alterRoleSet,
  createRole,
  defaultPrivileges,
  dropOwned,
  dropRole,
  grant,
  grantRole,
  reassignOwned,
} from './convert_role.ts';
import { alterSequence, createSequence } from './convert_sequence.ts';
import { declareCursor, explain, fetch, transaction, variableSet } from './convert_session.ts';
import { alterEnum, createEnum, renameType } from './convert_type.ts';
import { rangeVarName } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';
import { statementName, utilityTag } from './utility_tags.ts';

/** A SELECT, or the table that SELECT ... INTO makes. The INTO clause stands in the leftmost arm of a set operation. */
function select(node: PgNode, source: Source): Statement {
  const query: SelectNode = { select: node, text: source.text };
  let leftmost = node;
  while (leftmost.larg !== undefined) leftmost = leftmost.larg;
  const { intoClause } = leftmost;
  if (intoClause === undefined) return { ...source, k: modifies(node) ? 'modifying_select' : 'select', query };
  delete leftmost.intoClause;
  return tableFromQuery(intoClause, query, source);
}

function modifies({ withClause }: PgNode): boolean {
  const items: PgNode[] = withClause?.ctes ?? [];
  return items.some(({ CommonTableExpr: c }) => c.ctequery.SelectStmt === undefined);
}

type Converter = (node: PgNode, source: Source) => Statement | null;

/** RENAME of what is no relation. */
const RENAMES: Record<string, Converter> = {
  OBJECT_TYPE: renameType,
  OBJECT_DOMAIN: renameDomain,
  OBJECT_DOMCONSTRAINT: renameDomain,
};

const CONVERTERS: Record<string, Converter> = {
  SelectStmt: select,
  InsertStmt: (node, source) => ({ ...source, k: 'insert', node }),
  UpdateStmt: (node, source) => ({ ...source, k: 'update', node }),
  DeleteStmt: (node, source) => ({ ...source, k: 'delete', node }),
  MergeStmt: (node, source) => ({ ...source, k: 'merge', node }),
  CopyStmt: (node, source) => ({ ...source, k: 'copy', node, subscribe: null }),
  CreateStmt: createTable,
  CreateTableAsStmt: createTableAs,
  ViewStmt: createView,
  IndexStmt: createIndex,
  CreateSchemaStmt: createSchema,
  CreateExtensionStmt: createExtension,
  CreatePublicationStmt: createPublication,
  AlterPublicationStmt: alterPublication,
  CommentStmt: comment,
  CreateSeqStmt: createSequence,
  AlterSeqStmt: alterSequence,
  CreateEnumStmt: createEnum,
  AlterEnumStmt: alterEnum,
  DoStmt: doBlock,
  CreateDomainStmt: createDomain,
  AlterDomainStmt: alterDomain,
  AlterTableStmt: alterTable,
  CreateFunctionStmt: createFunction,
  AlterFunctionStmt: alterFunction,
  RenameStmt: (node, source) => {
    if (node.renameType === 'OBJECT_FUNCTION')
      return alterFunctionObject(node.object, { k: 'rename', to: node.newname }, source);
    return (RENAMES[node.renameType] ?? rename)(node, source);
  },
  AlterObjectSchemaStmt: (node, source) => {
    if (node.objectType === 'OBJECT_FUNCTION')
      return alterFunctionObject(node.object, { k: 'set_schema', schema: node.newschema }, source);
    return (node.objectType === 'OBJECT_DOMAIN' ? moveDomain : setSchema)(node, source);
  },
  DropStmt: drop,
  DropSubscriptionStmt: dropSubscription,
  TruncateStmt: truncate,
  CreateRoleStmt: createRole,
  AlterRoleStmt: alterRole,
  AlterRoleSetStmt: alterRoleSet,
  DropRoleStmt: dropRole,
  GrantRoleStmt: grantRole,
  GrantStmt: grant,
  AlterDefaultPrivilegesStmt: defaultPrivileges,
  AlterOwnerStmt: alterOwner,
  ReassignOwnedStmt: reassignOwned,
  DropOwnedStmt: dropOwned,
  ExplainStmt: (node, source) => {
    const [kind] = Object.keys(node.query);
    return explain(node, convert(kind, node.query[kind], source), source);
  },
  DeclareCursorStmt: declareCursor,
  FetchStmt: fetch,
  ClosePortalStmt: (node, source) => ({ ...source, k: 'close', name: node.portalname ?? null }),
  VariableSetStmt: variableSet,
  VariableShowStmt: (node, source) => ({ ...source, k: 'show', name: node.name }),
  TransactionStmt: transaction,
  PrepareStmt: (node, source) => {
    const [kind] = Object.keys(node.query);
    const types = (node.argtypes ?? []).map((item: PgNode) => item.TypeName);
    return { ...source, k: 'prepare', name: node.name, types, inner: convert(kind, node.query[kind], source) };
  },
  ExecuteStmt: (node, source) => ({ ...source, k: 'execute', name: node.name, args: node.params ?? [] }),
  DeallocateStmt: (node, source) => ({ ...source, k: 'deallocate', name: node.name ?? null }),
  DiscardStmt: (node, source) => {
    const what = node.target.replace('DISCARD_', '').toLowerCase();
    return { ...source, k: 'discard', what };
  },
  ListenStmt: (node, source) => ({ ...source, k: 'listen', channel: node.conditionname }),
  UnlistenStmt: (node, source) => ({ ...source, k: 'unlisten', channel: node.conditionname ?? null }),
  ConstraintsSetStmt: (node, source) => {
    const names = node.constraints?.map((item: PgNode) => rangeVarName(item.RangeVar)) ?? null;
    return { ...source, k: 'set_constraints', names, deferred: node.deferred === true };
  },
  NotifyStmt: (node, source) => ({ ...source, k: 'notify', channel: node.conditionname, payload: node.payload ?? '' }),
};

/** Converts a statement node's content. `source` is the text that the node's locations count in. Errors: 0A000 for what is unknown. */
export function convert(kind: string, node: PgNode, source: Source): Statement {
  const statement = CONVERTERS[kind]?.(node, source) ?? null;
  if (statement !== null) return statement;
  const tag = utilityTag(kind, node);
  if (tag !== null) return { ...source, k: 'utility', tag, node: { [kind]: node } };
  throw errorAt(source, '0A000', `${statementName(kind, node)} is not supported`);
}
