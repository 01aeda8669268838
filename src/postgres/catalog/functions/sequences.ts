/** nextval, currval, lastval, setval, pg_get_serial_sequence, pg_sequence_last_value. */
import type { Datum } from '../../../../operators/datum.ts';
import { SqlError } from '../../../../operators/errors.ts';
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import { INSERT, SELECT, UPDATE, USAGE } from '../../../catalog/privileges.ts';
import { allowedTo } from '../../../runtime/access.ts';
import { identityOwner, ownedSequences } from '../../../runtime/owned_sequences.ts';
import { objectSecurable } from '../../../runtime/securables.ts';
import type { Moment } from '../catalog_relation.ts';
import type { RelationFacts } from '../facts.ts';
import { type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';
import { findRelation, qualified } from './names.ts';

const WORDS: Record<string, string> = { v: 'views', m: 'materialized views', r: 'tables' };

/** An OID that is a sequence's, of which the session may do one of these. */
function sequence(oid: Datum, moment: Moment, privileges: number): number {
  const { facts } = moment;
  const number = numberOf(oid);
  const found = facts.relation(number);
  if (found?.relkind === 'S') {
    checkSequence(found, moment, privileges);
    return number;
  }
  const name = found?.name ?? facts.index(number)?.name;
  if (name === undefined) throw new SqlError('42P01', `could not open relation with OID ${number}`);
  throw new SqlError('42809', `cannot open relation "${name}"`, {
    detail: `This operation is not supported for ${found === undefined ? 'indexes' : WORDS[found.relkind]}.`,
  });
}

/** Rows take the values of identity columns for whoever may write them. */
function checkSequence({ object }: RelationFacts, { facts, context }: Moment, privileges: number): void {
  if (context.restricted !== true || object === null || object.kind !== 'sequence') return;
  const { engine } = facts;
  const on = objectSecurable(engine, object, facts.path);
  const role = context.role ?? 0;
  if ((allowedTo(engine, role, on) & privileges) !== 0) return;
  const identity = identityOwner(engine, object);
  if (
    identity !== null &&
    (allowedTo(engine, role, objectSecurable(engine, identity.table, facts.path)) & INSERT) !== 0
  )
    return;
  throw new SqlError('42501', `permission denied for ${on.words}`);
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
  nextval: ([oid], moment) =>
    moment.facts.engine.sequences.nextval(sequence(oid, moment, USAGE | UPDATE), moment.context),
  currval: ([oid], moment) =>
    moment.facts.engine.sequences.currval(sequence(oid, moment, USAGE | SELECT), moment.context),
  lastval: (_args, { facts, context }) => facts.engine.sequences.lastval(context),
  setval: ([oid, value, called = true], moment) =>
    moment.facts.engine.sequences.setval(
      sequence(oid, moment, UPDATE),
      BigInt(value as bigint),
      called === true,
      moment.context,
    ),
  pg_get_serial_sequence: serialSequence,
  pg_sequence_last_value: ([oid], moment) => {
    const state = moment.facts.engine.sequences.get(sequence(oid, moment, USAGE | SELECT))?.state;
    return state?.called ? state.last : null;
  },
};
