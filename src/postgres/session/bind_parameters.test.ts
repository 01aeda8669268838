import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { BindMessage } from '../wire/frontend_message.ts';
import { bindParameters } from './bind_parameters.ts';
import type { Prepared } from './prepared_statements.ts';

// Integers look at nothing of it.
const CONTEXT = {} as EvalContext;

function bind(texts: (string | null)[], types: number[]) {
  const values = texts.map((text) => Buffer.from(text ?? ''));
  const starts = values.map((_, i) => 1 + values.slice(0, i).reduce((sum, value) => sum + value.length, 0));
  const message: BindMessage = {
    portal: '',
    statement: '',
    paramFormats: [],
    bytes: Buffer.concat([Buffer.from('7'), ...values, Buffer.from('7')]),
    starts,
    lengths: texts.map((text, i) => (text === null ? -1 : values[i].length)),
    resultFormats: [],
  };
  return bindParameters(message, { name: '', paramTypes: types } as Prepared, CONTEXT);
}

/** The value, or what the error says. */
function outcome(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    if (error instanceof SqlError) return [error.sqlstate, error.message];
    throw error;
  }
}

test('integers as text are what the input function of their type gives', () => {
  const texts = [
    ...['0', '7', '007', '999999999', '1000000000', '2147483647', '2147483648', '9223372036854775807'],
    ...['9223372036854775808', '-1', '+1', ' 1', '1 ', '1_0', '0x10', '1.0', '', '-', 'x', '12a', '１'],
  ];
  for (const oid of [OID.int2, OID.int4, OID.int8]) {
    for (const text of texts) {
      const value = outcome(() => bind([text], [oid])[0]);
      assert.deepEqual(
        value,
        outcome(() => inputText(text, colType(oid), CONTEXT)),
        `${text} as ${oid}`,
      );
    }
  }
});

test('values are found where they lie, NULL among them', () => {
  assert.deepEqual(bind(['12', null, '345', ''], [OID.int4, OID.int4, OID.int8, OID.text]), [12, null, 345n, '']);
});
