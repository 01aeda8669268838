/** CREATE TYPE ... AS ENUM and ALTER TYPE: libpg-query's nodes as Tidemark's statements. */
import type { PgNode, Statement } from './ast.ts';
import { qualified, strings } from './node_fields.ts';
import type { Source } from './positions.ts';

type AlterEnum = Extract<Statement, { k: 'alter_enum' }>;

export function createEnum({ typeName, vals }: PgNode, source: Source): Statement {
  return { ...source, k: 'create_enum', ...qualified(strings(typeName)), labels: strings(vals) };
}

export function alterEnum(node: PgNode, source: Source): AlterEnum {
  const { typeName, oldVal, newVal = '', newValNeighbor, newValIsAfter, skipIfNewValExists } = node;
  const action: AlterEnum['action'] =
    oldVal === undefined
      ? {
          k: 'add_value',
          label: newVal,
          ifNotExists: skipIfNewValExists === true,
          neighbour: newValNeighbor ?? null,
          after: newValIsAfter === true,
        }
      : { k: 'rename_value', from: oldVal, to: newVal };
  return { ...source, k: 'alter_enum', ...qualified(strings(typeName)), action };
}

/** ALTER TYPE ... RENAME TO. */
export function renameType({ object, newname }: PgNode, source: Source): AlterEnum {
  const name = qualified(strings(object.List.items));
  return { ...source, k: 'alter_enum', ...name, action: { k: 'rename', to: newname } };
}
