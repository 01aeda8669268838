/** CREATE TYPE ... AS ENUM and ALTER TYPE: libpg-query's nodes as Tidemark's statements. */
import type { PgNode, Statement } from './ast.ts';
import { qualified, strings } from './node_fields.ts';
import { scanPostgres } from './pg_parser.ts';
import type { Source } from './positions.ts';

type AlterEnum = Extract<Statement, { k: 'alter_enum' }>;

export function createEnum({ typeName, vals }: PgNode, source: Source): Statement {
  return { ...source, k: 'create_enum', ...qualified(strings(typeName)), labels: strings(vals) };
}

/** Of fields that are '' the node has nothing, so the words before the last label say what it is. */
export function alterEnum({ typeName, oldVal, newVal: label = '', ...node }: PgNode, source: Source): AlterEnum {
  const word = scanPostgres(source.text)
    .filter(({ text }) => text !== ';')
    .at(-2)
    ?.text.toLowerCase();
  const beside = word === 'before' || word === 'after';
  const action: AlterEnum['action'] =
    word === 'to'
      ? { k: 'rename_value', from: oldVal ?? '', to: label }
      : {
          k: 'add_value',
          label,
          ifNotExists: node.skipIfNewValExists === true,
          neighbour: beside ? (node.newValNeighbor ?? '') : null,
          after: word === 'after',
        };
  return { ...source, k: 'alter_enum', ...qualified(strings(typeName)), action };
}

/** ALTER TYPE ... RENAME TO. */
export function renameType({ object, newname }: PgNode, source: Source): AlterEnum {
  const name = qualified(strings(object.List.items));
  return { ...source, k: 'alter_enum', ...name, action: { k: 'rename', to: newname } };
}
