/** nextval, currval, lastval, setval, pg_get_serial_sequence, pg_sequence_last_value. */
import type { Datum } from '../../../../operators/datum.ts';
import { SqlError } from '../../../../operators/errors.ts';
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import { ownedSequences } from '../../../runtime/owned_sequences.ts';
import type { Moment } from '../catalog_relation.ts';
import { type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';
import { findRelation, qualified } from './names.ts';

const WORDS: Record<string, string> = { v: 'views', m: 'materialized views', r: 'tables' };

/** An OID that is a sequence's. */
function sequence(oid: Datum, { facts }: Moment): number {
  const number = numberOf(oid);
  const found = facts.relation(number);
  if (found?.relkind === 'S') return number;
  const name = found?.name ?? facts.index(number)?.name;
  if (name === undefined) throw new SqlError('42P01', `could not open relation with OID ${number}`);
  throw new SqlError('42809', `cannot open relation "${name}"`, {
    detail: `This operation is not supported for ${found === undefined ? 'indexes' : WORDS[found.relkind]}.`,
  });
}

function serialSequence([table, column]: Datum[], moment: Moment): Datum {
  const { facts, context } = moment;
  const { schema, name } = qualified(textOf(table), moment);
  const found = findRelation(facts, schema, name, context.searchPath);
  if (found === undefined || 'table' in found)
    throw new SqlError('42P01', `relation "${textOf(table)}" does not exist`);
  const position = found.relation.columns.findIndex((c) => c.name === column);
  if (position < 0) {
    throw new SqlError('42703', `column "${textOf(column)}" of relation "${found.name}" does not exist`);
  }
  const own = ownedSequences(facts.engine, found.oid).find(({ owner }) => owner?.column === position);
  return own === undefined ? null : `${quoteIdent(own.schema)}.${quoteIdent(own.name)}`;
}

export const SEQUENCE_FUNCTIONS: CatalogFunctions = {
  nextval: ([oid], moment) => moment.facts.engine.sequences.nextval(sequence(oid, moment), moment.context),
  currval: ([oid], moment) => moment.facts.engine.sequences.currval(sequence(oid, moment), moment.context),
  lastval: (_args, { facts, context }) => facts.engine.sequences.lastval(context),
  setval: ([oid, value, called = true], moment) =>
    moment.facts.engine.sequences.setval(
      sequence(oid, moment),
      BigInt(value as bigint),
      called === true,
      moment.context,
    ),
  pg_get_serial_sequence: serialSequence,
  pg_sequence_last_value: ([oid], moment) => {
    const state = moment.facts.engine.sequences.get(sequence(oid, moment))?.state;
    return state?.called ? state.last : null;
  },
};
