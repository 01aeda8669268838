/** CREATE and ALTER SEQUENCE, and what serial and identity columns say of theirs: libpg-query's nodes as Tidemark's statements. */
import { SqlError } from '../../operators/errors.ts';
import type { AlterAction, PgNode, SequenceOptions, Statement } from './ast.ts';
import { qualified, rangeVarName, strings } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';

type Kind<K extends Statement['k']> = Extract<Statement, { k: K }>;

const INT8_LIMIT = 1n << 63n;

/** A whole number of a DefElem, which the grammar gives as Integer or, when it is long, as text. */
function bigintOf({ Integer: integer, Float: float }: PgNode): bigint {
  if (integer !== undefined) return BigInt(integer.ival ?? 0);
  const text: string = float.fval;
  if (!/^-?\d+$/.test(text)) throw new SqlError('22P02', `invalid input syntax for type bigint: "${text}"`);
  const value = BigInt(text);
  if (value < -INT8_LIMIT || value >= INT8_LIMIT) {
    throw new SqlError('22003', `value "${text}" is out of range for type bigint`);
  }
  return value;
}

const bound = (arg: PgNode | undefined): bigint | 'none' => (arg === undefined ? 'none' : bigintOf(arg));

/** One option; `options` is what was said before it. */
function take(options: SequenceOptions, name: string, arg: PgNode | undefined): void {
  switch (name) {
    case 'as':
      options.type = (arg as PgNode).TypeName;
      return;
    case 'increment':
    case 'start':
    case 'cache':
      options[name] = bigintOf(arg as PgNode);
      return;
    case 'minvalue':
      options.min = bound(arg);
      return;
    case 'maxvalue':
      options.max = bound(arg);
      return;
    case 'restart':
      options.restart = arg === undefined ? 'start' : bigintOf(arg);
      return;
    case 'cycle':
      options.cycle = (arg as PgNode).Boolean.boolval === true;
      return;
    case 'owned_by':
      options.ownedBy = strings((arg as PgNode).List.items);
      return;
    case 'sequence_name':
      options.name = qualified(strings((arg as PgNode).List.items));
      return;
  }
}

/** The options of a list of DefElem nodes. */
function sequenceOptions(list: PgNode[] | undefined, source: Source): SequenceOptions {
  const options: SequenceOptions = {};
  const seen = new Set<string>();
  for (const { DefElem: item } of list ?? []) {
    const name: string = item.defname;
    if (name === 'logged' || name === 'unlogged')
      throw errorAt(source, '0A000', `SET ${name.toUpperCase()} is not supported`);
    if (seen.has(name)) throw errorAt(source, '42601', 'conflicting or redundant options', item.location);
    seen.add(name);
    take(options, name, item.arg);
  }
  return options;
}

export function createSequence(node: PgNode, source: Source): Kind<'create_sequence'> {
  return {
    ...source,
    k: 'create_sequence',
    ...rangeVarName(node.sequence),
    ifNotExists: node.if_not_exists === true,
    temporary: node.sequence.relpersistence === 't',
    options: sequenceOptions(node.options, source),
  };
}

export function alterSequence(node: PgNode, source: Source): Kind<'alter_sequence'> {
  return {
    ...source,
    k: 'alter_sequence',
    ...rangeVarName(node.sequence),
    ifExists: node.missing_ok === true,
    options: sequenceOptions(node.options, source),
  };
}

/** GENERATED ALWAYS | BY DEFAULT AS IDENTITY (...): the content of its constraint. */
export function identityOf(constraint: PgNode, source: Source): { always: boolean; options: SequenceOptions } {
  return { always: constraint.generated_when === 'a', options: sequenceOptions(constraint.options, source) };
}

/** ALTER COLUMN ... SET GENERATED ..., SET sequence option, RESTART. */
export function setIdentity(column: string, list: PgNode[], source: Source): AlterAction {
  const isKind = ({ DefElem: item }: PgNode) => item.defname === 'generated';
  const kind = list.find(isKind)?.DefElem.arg.Integer.ival;
  return {
    k: 'set_identity',
    column,
    // The character code of 'a' or 'd'.
    always: kind === undefined ? null : String.fromCharCode(kind) === 'a',
    options: sequenceOptions(
      list.filter((item) => !isKind(item)),
      source,
    ),
  };
}

const SERIAL: Record<string, string> = {
  smallserial: 'int2',
  serial2: 'int2',
  serial: 'int4',
  serial4: 'int4',
  bigserial: 'int8',
  serial8: 'int8',
};

/** The TypeName that a serial type stands for; null for other types. */
export function serialType(type: PgNode): PgNode | null {
  const [name, ...rest] = strings(type.names);
  const plain = rest.length === 0 ? SERIAL[name] : undefined;
  if (plain === undefined) return null;
  if (type.arrayBounds !== undefined) throw new SqlError('0A000', 'array of serial is not implemented');
  return { ...type, names: ['pg_catalog', plain].map((sval) => ({ String: { sval } })) };
}
