/**
 * JSON_TABLE: the items that a path finds are rows, further paths from each item its columns; nested paths give more rows for each.
 *
 *   '$[*]' COLUMNS (a, NESTED '$.b[*]' COLUMNS (b), NESTED '$.c[*]' COLUMNS (c))
 *   a row per b, then a row per c, all with the item's a; one row where there is neither b nor c
 */
import type { Datum } from '../../../datum.ts';
import type { ColType } from '../../../types.ts';
import type { EvalContext } from '../../ir.ts';
import type { Json } from '../value.ts';
import type { Variables } from './evaluate.ts';
import { type Item, jsonOfItem, PathError } from './item.ts';
import { parsePath } from './parse.ts';
import { collect } from './path.ts';
import { passedVariables, type QueryOptions, sqlJson } from './query_functions.ts';
import type { JsonPath } from './syntax.ts';

/** A table as the planner describes it: plain data. `P` is the form of its paths, text or parsed. */
export interface JsonTable<P = string> {
  /** Variables are the first of the values given, then come those of DEFAULT. */
  names: string[];
  /** How many columns there are in all. */
  width: number;
  /** Errors of the paths to the rows are told; else there are no rows. */
  errors: boolean;
  rows: Rows<P>;
}

export interface Rows<P> {
  path: P;
  columns: Column<P>[];
  nested: Rows<P>[];
}

/** `at`: the place in the row. */
export type Column<P> =
  | { k: 'ordinality'; at: number }
  | {
      k: 'value';
      at: number;
      name: string;
      path: P;
      options: QueryOptions;
      type: ColType;
      /** Places of DEFAULT's values among those given; -1 for none. */
      whenEmpty: number;
      whenError: number;
    };

export function readTable(text: string): JsonTable<JsonPath> {
  const table = JSON.parse(text) as JsonTable;
  return { ...table, rows: parsed(table.rows) };
}

function parsed(rows: Rows<string>): Rows<JsonPath> {
  return {
    path: parsePath(rows.path),
    columns: rows.columns.map((c) => (c.k === 'value' ? { ...c, path: parsePath(c.path) } : c)),
    nested: rows.nested.map(parsed),
  };
}

type Given = { value: Datum; oid: number }[];

/** The rows that a document gives. */
export function tableRows(table: JsonTable<JsonPath>, document: Json, given: Given, ctx: EvalContext): Datum[][] {
  const vars = passedVariables(table.names, given.slice(0, table.names.length), ctx);
  return new Builder(table, given, vars, ctx).rows(table.rows, document, new Array<Datum>(table.width).fill(null));
}

class Builder {
  private readonly table: JsonTable<JsonPath>;
  private readonly given: Given;
  private readonly vars: Variables;
  private readonly ctx: EvalContext;

  constructor(table: JsonTable<JsonPath>, given: Given, vars: Variables, ctx: EvalContext) {
    this.table = table;
    this.given = given;
    this.vars = vars;
    this.ctx = ctx;
  }

  /** Rows of a path from `target`, with the columns of `outer` around them. */
  rows(rows: Rows<JsonPath>, target: Json, outer: Datum[]): Datum[][] {
    return this.items(rows.path, target).flatMap((item, n) => {
      const row = [...outer];
      for (const c of rows.columns) row[c.at] = c.k === 'ordinality' ? n + 1 : this.value(c, item);
      const nested = rows.nested.flatMap((r) => this.rows(r, item, row));
      return nested.length > 0 ? nested : [row];
    });
  }

  private items(path: JsonPath, target: Json): Json[] {
    const { errors } = this.table;
    const found: Item[] = [];
    try {
      collect({ path, target, vars: this.vars, zoned: true, silent: !errors, ctx: this.ctx }, found);
    } catch (e) {
      if (errors || !(e instanceof PathError)) throw e;
      return [];
    }
    return found.map(jsonOfItem);
  }

  private value(c: Extract<Column<JsonPath>, { k: 'value' }>, target: Json): Datum {
    const { path, options, type, name } = c;
    const given = (at: number): Datum => (at < 0 ? null : this.given[at].value);
    const [whenEmpty, whenError] = [given(c.whenEmpty), given(c.whenError)];
    return sqlJson({ target, path, options, vars: this.vars, whenEmpty, whenError, type, column: name }, this.ctx);
  }
}
