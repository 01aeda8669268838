/** Small readers of libpg-query's nodes, shared by the converters: names, options, wrapped lists. */
import type { Option, PgNode } from './ast.ts';
import { errorAt, type Source } from './positions.ts';

/** The strings of a list of { String: { sval } } nodes. */
export function strings(list: PgNode[] | undefined): string[] {
  return (list ?? []).map((item) => item.String.sval ?? '');
}

/** Schema and name of a dotted name of one or two parts; a third part in front (the database) is dropped as PostgreSQL does. */
export function qualified(parts: string[]): { schema?: string; name: string } {
  const name = parts[parts.length - 1];
  return parts.length > 1 ? { schema: parts[parts.length - 2], name } : { name };
}

/** Schema and name of a RangeVar's content. */
export function rangeVarName(rangeVar: PgNode): { schema?: string; name: string } {
  return rangeVar.schemaname === undefined
    ? { name: rangeVar.relname }
    : { schema: rangeVar.schemaname, name: rangeVar.relname };
}

/** The value of a DefElem's argument as text: the words that the user wrote, strings without quotes; 'true' when there is none. */
function optionValue(arg: PgNode | undefined, source: Source, location: number): string {
  if (arg === undefined) return 'true';
  if (arg.String) return arg.String.sval ?? '';
  if (arg.Integer) return String(arg.Integer.ival ?? 0);
  if (arg.Float) return arg.Float.fval;
  if (arg.Boolean) return String(arg.Boolean.boolval ?? false);
  // A bare word such as `format = json` is read as a type name.
  if (arg.TypeName) return strings(arg.TypeName.names).at(-1) ?? '';
  if (arg.A_Const) return constantText(arg.A_Const);
  throw errorAt(source, '42601', 'option value must be a string, a number or a word', location);
}

/** Text of an A_Const's content. */
export function constantText(constant: PgNode): string {
  if (constant.sval) return constant.sval.sval ?? '';
  if (constant.ival) return String(constant.ival.ival ?? 0);
  if (constant.fval) return constant.fval.fval;
  if (constant.boolval) return String(constant.boolval.boolval ?? false);
  return '';
}

/** WITH (k = v, ...) options from a list of DefElem nodes. */
export function defElemOptions(list: PgNode[] | undefined, source: Source): Option[] {
  return (list ?? []).map((item) => {
    const { defnamespace, defname, arg, location } = item.DefElem;
    return {
      name: defnamespace === undefined ? defname : `${defnamespace}.${defname}`,
      value: optionValue(arg, source, location ?? -1),
      location: location ?? -1,
    };
  });
}
