/** Comparisons of enum values, and the functions that list a type's values. */
import type { Datum } from '../../datum.ts';
import { pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { isEnumType } from '../../types.ts';
import { compareNumbers } from '../compare.ts';
import { type EnumType, enumTypeOf } from '../enum_types.ts';
import { comparisons, larger, support } from './comparisons.ts';
import { type CallInfo, registerTyped } from './registry.ts';

comparisons('enum_', 'anyenum', 'anyenum', compareNumbers);
support('enum_cmp(anyenum,anyenum)', compareNumbers);
larger('enum_larger', 'enum_smaller', 'anyenum', compareNumbers);

/** The type that a call is about: the values do not matter, and may be NULL. */
function typeOf({ argTypes: [{ oid }] }: CallInfo): EnumType {
  const type = isEnumType(oid) ? enumTypeOf(oid) : undefined;
  if (type === undefined) throw new SqlError('22023', 'could not determine actual enum type');
  return type;
}

function values(call: CallInfo, from: Datum, to: Datum): Datum {
  const { oid, labels } = typeOf(call);
  const within = labels.filter(({ value }) => {
    return (from === null || value >= (from as number)) && (to === null || value <= (to as number));
  });
  return pgArray(
    oid,
    within.map(({ value }) => value),
  );
}

registerTyped('enum_first(anyenum)', (_args, call) => first(typeOf(call)));
registerTyped('enum_last(anyenum)', (_args, call) => first(typeOf(call), -1));
registerTyped('enum_range(anyenum)', (_args, call) => values(call, null, null));
registerTyped('enum_range(anyenum,anyenum)', ([from, to], call) => values(call, from, to));

function first({ labels, name }: EnumType, at = 0): Datum {
  const found = labels.at(at);
  if (found === undefined) throw new SqlError('55000', `enum ${name} contains no values`);
  return found.value;
}
