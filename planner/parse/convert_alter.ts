/** ALTER TABLE and its kin: libpg-query's AlterTableStmt and RenameStmt as Tidemark's statement. What has no place there is refused by name. */
import type { AlterAction, PgNode, Statement } from './ast.ts';
import { checkOf, columnOf, keyColumnsOf, keyOf, REFUSED_CONSTRAINT, refuse } from './convert_ddl.ts';
import { foreignKeyOf, foreignKeysOfColumn } from './convert_foreign_key.ts';
import { roleSpec } from './convert_role.ts';
import { identityOf, setIdentity } from './convert_sequence.ts';
import { rangeVarName, strings } from './node_fields.ts';
import type { Source } from './positions.ts';
import { objectWords } from './utility_tags.ts';

type AlterRelation = Extract<Statement, { k: 'alter_relation' }>;

const KINDS: Record<string, AlterRelation['kind']> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized_view',
  OBJECT_INDEX: 'index',
  OBJECT_SEQUENCE: 'sequence',
};

function alterRelation(
  kind: AlterRelation['kind'],
  node: PgNode,
  actions: AlterAction[],
  source: Source,
): AlterRelation {
  const ifExists = node.missing_ok === true;
  return { ...source, k: 'alter_relation', kind, ...rangeVarName(node.relation), ifExists, actions };
}

/** RENAME TO, RENAME COLUMN, RENAME CONSTRAINT; null where what is renamed is no relation. */
export function rename(node: PgNode, source: Source): Statement | null {
  if (node.renameType === 'OBJECT_ROLE') return { ...source, k: 'rename_role', name: node.subname, to: node.newname };
  if (node.renameType === 'OBJECT_COLUMN') {
    const kind = KINDS[node.relationType];
    const { subname: column, newname: to } = node;
    return kind === undefined ? null : alterRelation(kind, node, [{ k: 'rename_column', column, to }], source);
  }
  if (node.renameType === 'OBJECT_TABCONSTRAINT') {
    const { subname: name, newname: to } = node;
    return alterRelation('table', node, [{ k: 'rename_constraint', name, to }], source);
  }
  const kind = KINDS[node.renameType];
  return kind === undefined ? null : alterRelation(kind, node, [{ k: 'rename', to: node.newname }], source);
}

/** SET SCHEMA of what is no relation is refused. */
export function setSchema(node: PgNode, source: Source): AlterRelation {
  const kind = KINDS[node.objectType];
  if (kind === undefined)
    throw refuse(source, `ALTER ${objectWords(node.objectType)} ... SET SCHEMA`, node.relation?.location);
  return alterRelation(kind, node, [{ k: 'set_schema', schema: node.newschema }], source);
}

export function alterTable(node: PgNode, source: Source): AlterRelation | null {
  const kind = KINDS[node.objtype];
  if (kind === undefined) return null;
  const actions = (node.cmds as PgNode[]).map(({ AlterTableCmd: command }) => action(command, node, source));
  return alterRelation(kind, node, actions, source);
}

/** AT_AddColumn -> ADD COLUMN */
function commandWords(subtype: string): string {
  return subtype
    .replace(/^AT_/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}

function action(command: PgNode, { objtype, relation }: PgNode, source: Source): AlterAction {
  const { subtype, def, name: column, missing_ok: missing, behavior } = command;
  switch (subtype) {
    case 'AT_AddColumn':
      return addColumn(command, relation.relname, source);
    case 'AT_AlterColumnType': {
      const { typeName: type, raw_default: using = null } = def.ColumnDef;
      return { k: 'alter_type', column, type, using };
    }
    case 'AT_DropColumn':
      return { k: 'drop_column', column, ifExists: missing === true, cascade: behavior === 'DROP_CASCADE' };
    case 'AT_AddConstraint':
      return addConstraint(def.Constraint, source);
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
      return { k: 'set_not_null', column, notNull: subtype === 'AT_SetNotNull' };
    case 'AT_ColumnDefault':
      return { k: 'set_default', column, value: def ?? null };
    case 'AT_DropConstraint':
      return {
        k: 'drop_constraint',
        name: column,
        ifExists: command.missing_ok === true,
        cascade: behavior === 'DROP_CASCADE',
      };
    case 'AT_ValidateConstraint':
      return { k: 'validate_constraint', name: column, ifExists: false };
    case 'AT_AddIdentity':
      return { k: 'add_identity', column, ...identityOf(def.Constraint, source) };
    case 'AT_SetIdentity':
      return setIdentity(column, def.List.items, source);
    case 'AT_DropIdentity':
      return { k: 'drop_identity', column, ifExists: command.missing_ok === true };
    case 'AT_ChangeOwner':
      return { k: 'change_owner', owner: roleSpec(command.newowner) };
    case 'AT_SetStatistics':
    case 'AT_SetStorage':
    case 'AT_SetCompression':
    case 'AT_ClusterOn':
    case 'AT_DropCluster':
      return { k: 'no_effect' };
    default: {
      const what = `ALTER ${objectWords(objtype)} ... ${commandWords(subtype)}`;
      throw refuse(source, what, relation.location);
    }
  }
}

function addColumn({ def, missing_ok: ifNotExists = false }: PgNode, table: string, source: Source): AlterAction {
  const column = columnOf(def.ColumnDef, table, source);
  const constraints = (def.ColumnDef.constraints ?? []).flatMap(({ Constraint: constraint }: PgNode) => {
    if (constraint.contype === 'CONSTR_CHECK') return [{ k: 'add_check', check: checkOf(constraint, source) }];
    const primary = constraint.contype === 'CONSTR_PRIMARY';
    if (!primary && constraint.contype !== 'CONSTR_UNIQUE') return [];
    return [{ k: 'add_key', primary, key: keyOf(constraint, [column.name], source) }];
  });
  const references = foreignKeysOfColumn(def.ColumnDef, source).map((foreignKey) => {
    return { k: 'add_foreign_key' as const, foreignKey };
  });
  return { k: 'add_column', column, ifNotExists, constraints: [...constraints, ...references] };
}

function addConstraint(constraint: PgNode, source: Source): AlterAction {
  const { contype, location } = constraint;
  if (contype === 'CONSTR_CHECK') {
    return { k: 'add_check', check: { ...checkOf(constraint, source), notValid: constraint.skip_validation === true } };
  }
  if (contype === 'CONSTR_FOREIGN') {
    const foreignKey = foreignKeyOf(constraint, strings(constraint.fk_attrs), source);
    return { k: 'add_foreign_key', foreignKey: { ...foreignKey, notValid: constraint.skip_validation === true } };
  }
  if (contype !== 'CONSTR_PRIMARY' && contype !== 'CONSTR_UNIQUE') {
    throw refuse(source, REFUSED_CONSTRAINT[contype] ?? 'a table constraint of this kind', location);
  }
  if (constraint.indexname) throw refuse(source, 'a constraint USING INDEX', location);
  return {
    k: 'add_key',
    primary: contype === 'CONSTR_PRIMARY',
    key: keyOf(constraint, keyColumnsOf(constraint, source), source),
  };
}
