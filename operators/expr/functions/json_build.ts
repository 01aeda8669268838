/** SQL values to JSON: to_json, row_to_json, array_to_json, json_build_object, json_build_array and their jsonb twins. */

import type { PgRecord } from '../../datum.ts';
import { type Datum, isPgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import type { EvalContext } from '../ir.ts';
import { jsonbArrayText, jsonbDatumOf, jsonbObjectText, jsonOf, keyOf } from '../json/encode.ts';
import { quoteJson } from '../json/value.ts';
import { type CallInfo, register, registerTyped } from './registry.ts';

registerTyped('to_json(anyelement)', ([d], call, ctx) => jsonOf(d, call.argTypes[0].oid, ctx));
registerTyped('to_jsonb(anyelement)', ([d], call, ctx) => jsonbDatumOf(d, call.argTypes[0].oid, ctx));
registerTyped('array_to_json(anyarray)', ([d], call, ctx) => jsonOf(d, call.argTypes[0].oid, ctx));
registerTyped('array_to_json(anyarray,bool)', ([d, pretty], call, ctx) =>
  jsonOf(d, call.argTypes[0].oid, ctx, pretty === true),
);
register('row_to_json(record)', (d: PgRecord, ctx: EvalContext) => jsonOf(d, OID.record, ctx));
register('row_to_json(record,bool)', (d: PgRecord, pretty: boolean, ctx: EvalContext) =>
  jsonOf(d, OID.record, ctx, pretty),
);

interface Typed {
  value: Datum;
  oid: number;
}

/** The arguments of a VARIADIC "any" function with their types; null when VARIADIC was given a NULL array. */
function variadicArgs(args: Datum[], call: CallInfo): Typed[] | null {
  if (!call.variadic) return args.map((value, i) => ({ value, oid: call.argTypes[i].oid }));
  const [last] = args.slice(-1);
  if (last === null) return null;
  if (!isPgArray(last)) throw new SqlError('42804', 'VARIADIC argument must be an array');
  const fixed = args.slice(0, -1).map((value, i) => ({ value, oid: call.argTypes[i].oid }));
  return [...fixed, ...last.items.map((value) => ({ value, oid: last.elem }))];
}

function pairsOf(args: Typed[], fn: string, ctx: EvalContext): { key: string; value: Typed }[] {
  if (args.length % 2 !== 0) {
    throw new SqlError('22023', 'argument list must have even number of elements', {
      hint: `The arguments of ${fn}() must consist of alternating keys and values.`,
    });
  }
  const pairs: { key: string; value: Typed }[] = [];
  for (let i = 0; i < args.length; i += 2) {
    if (args[i].value === null && fn === 'jsonb_build_object') {
      throw new SqlError('22023', `argument ${i + 1}: key must not be null`);
    }
    pairs.push({ key: keyOf(args[i].value, args[i].oid, ctx), value: args[i + 1] });
  }
  return pairs;
}

function buildObject(args: Typed[] | null, ctx: EvalContext): string | null {
  if (!args) return null;
  const parts = pairsOf(args, 'json_build_object', ctx).map(
    ({ key, value }) => `${quoteJson(key)} : ${jsonOf(value.value, value.oid, ctx)}`,
  );
  return `{${parts.join(', ')}}`;
}

function buildObjectb(args: Typed[] | null, ctx: EvalContext): string | null {
  if (!args) return null;
  const pairs = pairsOf(args, 'jsonb_build_object', ctx);
  return jsonbObjectText(pairs.map(({ key, value }) => [key, jsonbDatumOf(value.value, value.oid, ctx)]));
}

function buildArray(args: Typed[] | null, ctx: EvalContext): string | null {
  return args && `[${args.map((a) => jsonOf(a.value, a.oid, ctx)).join(', ')}]`;
}

function buildArrayb(args: Typed[] | null, ctx: EvalContext): string | null {
  return args && jsonbArrayText(args.map((a) => jsonbDatumOf(a.value, a.oid, ctx)));
}

for (const [name, build] of [
  ['json_build_object', buildObject],
  ['jsonb_build_object', buildObjectb],
  ['json_build_array', buildArray],
  ['jsonb_build_array', buildArrayb],
] as const) {
  registerTyped(`${name}(any)`, (args, call, ctx) => build(variadicArgs(args, call), ctx));
  register(`${name}()`, (ctx: EvalContext) => build([], ctx));
}

/** JSON_OBJECT and JSON_ARRAY with clauses, which the first argument says: ABSENT ON NULL, WITH UNIQUE KEYS. */
for (const prefix of ['json', 'jsonb'] as const) {
  registerTyped(`${prefix}_object_of(any)`, ([clauses, ...values], call, ctx) => {
    const absent = (clauses as string).includes('absent');
    const unique = (clauses as string).includes('unique');
    const all = values.map((value, i) => ({ value, oid: call.argTypes[i + 1].oid }));
    const kept: Typed[] = [];
    const keys = new Set<string>();
    for (let i = 0; i < all.length; i += 2) {
      const [key, value] = [all[i], all[i + 1]];
      const left = absent && value.value === null;
      if (unique && !(left && key.value === null)) {
        const name = keyOf(key.value, key.oid, ctx);
        if (keys.has(name)) throw repeatedKey(prefix, name);
        keys.add(name);
      }
      if (!left) kept.push(key, value);
    }
    return prefix === 'json' ? buildObject(kept, ctx) : buildObjectb(kept, ctx);
  });
  registerTyped(`${prefix}_array_of(any)`, (values, call, ctx) => {
    const kept = values.map((value, i) => ({ value, oid: call.argTypes[i].oid })).filter((v) => v.value !== null);
    return prefix === 'json' ? buildArray(kept, ctx) : buildArrayb(kept, ctx);
  });
}

function repeatedKey(prefix: string, name: string): SqlError {
  const which = prefix === 'json' ? `: ${quoteJson(name)}` : '';
  return new SqlError('22030', `duplicate JSON object key value${which}`);
}

registerTyped('num_nulls(any)', (args, call) => countNulls(args, call, true));
registerTyped('num_nonnulls(any)', (args, call) => countNulls(args, call, false));

function countNulls(args: Datum[], call: CallInfo, nulls: boolean): number | null {
  const typed = variadicArgs(args, call);
  return typed?.filter((a) => (a.value === null) === nulls).length ?? null;
}
