/**
 * json_to_record, json_to_recordset and their jsonb twins: rows of the columns that the query's column definition list names.
 *
 * The binder hands the list over as one more argument, a record constant (json/row_description.ts).
 */
import type { Datum, PgRecord } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import type { EvalContext } from '../ir.ts';
import { type JsonObjectNode, parseJson } from '../json/parse.ts';
import { rowOfObject } from '../json/populate.ts';
import { describedColumns } from '../json/row_description.ts';
import { registerSet } from './registry.ts';

const invalid = (message: string) => new SqlError('22023', message);

function record(text: string, description: PgRecord, ctx: EvalContext): Datum[][] {
  const node = parseJson(text);
  if (node.kind !== 'object') {
    throw invalid(`cannot call populate_composite on ${node.kind === 'array' ? 'an array' : 'a scalar'}`);
  }
  return [rowOfObject(text, node, describedColumns(description), ctx)];
}

function recordSet(fn: string, text: string, description: PgRecord, ctx: EvalContext): Datum[][] {
  const node = parseJson(text);
  if (node.kind !== 'array') {
    const what = fn.startsWith('jsonb') ? 'a non-array' : node.kind === 'object' ? 'an object' : 'a scalar';
    throw invalid(`cannot call ${fn} on ${what}`);
  }
  const columns = describedColumns(description);
  const objects = node.items.map((item): JsonObjectNode => {
    if (item.kind !== 'object') throw invalid(`argument of ${fn} must be an array of objects`);
    return item;
  });
  return objects.map((item) => rowOfObject(text, item, columns, ctx));
}

for (const type of ['json', 'jsonb']) {
  registerSet(`${type}_to_record(${type})`, record);
  registerSet(`${type}_to_recordset(${type})`, (text: string, description: PgRecord, ctx: EvalContext) =>
    recordSet(`${type}_to_recordset`, text, description, ctx),
  );
}
