/**
 * What the binder is given and what it gives back for statements that change tables. Queries give a BoundQuery
 * (planner/logical/plan.ts).
 */
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import type { ColType } from '../../operators/types.ts';
import type { CatalogReader, Relation } from '../catalog_reader.ts';
import type { BoundQuery, Col, Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import type { PgProc } from '../types/catalog.ts';
import type { Origin, Shape } from './level.ts';

export interface BindEnv {
  catalog: CatalogReader;
  /** Settings under which literals are read (time zone, date style). */
  evalContext: EvalContext;
  /** Settings under which untyped literals are read, where those are others: a view's have no clock, as what 'today' meant when it was made would stay. */
  literalContext?: EvalContext;
  /** The statement is done again that an earlier version took: its literals may have more parts than a value may have since then. */
  again?: boolean;
  /** Declared type of each $n, 0 = to be inferred. The binder writes inferred types into it and makes it longer as needed. */
  paramTypes: number[];
  searchPath: string[];
  /** 'view': the query is maintained, so volatile functions are refused. 'read': it runs once. */
  mode: 'view' | 'read';
  /** DEFAULT expression of a table column as syntax with its text; absent or null: NULL. */
  columnDefault?(relation: Relation, column: number): { node: PgNode; text: string } | null;
  /** Called with each RangeVar that names a relation of the catalog, and that relation. */
  onRelation?(node: PgNode, relation: Relation): void;
  /** Called with each string literal, also in the text of a view or a function: the node that has its `sval`, and the type as which it is read. */
  onLiteral?(literal: PgNode, type: ColType): void;
  /** Names, or dotted names, that stand for parameters where no column has them (PL/pgSQL's variables): the parameter's number. */
  variables?: ReadonlyMap<string, number>;
  /** Called with each function of a user that is called; `call`: the FuncCall, null in the body of another function. */
  onFunction?(called: PgProc, call: PgNode | null): void;
  /** Called with each relation that is read; `view`: in the text of this plain view. */
  onRead?(relation: Relation, view: Relation | null): void;
  /** The same of a function that is called, by its OID. */
  onCall?(oid: number, view: Relation | null): void;
  /** Called with each relation that is changed, and the statement that does it. */
  onTarget?(relation: Relation, verb: string, statement: PgNode): void;
  /** False: no parameter is allowed (view bodies), PostgreSQL's 42P02. Default true. */
  allowParams?: boolean;
  /** True: the caller reads `relation AS OF e` at the moment that BoundQuery.asOf gives. Default: AS OF is refused. */
  allowAsOf?: boolean;
  /** True: the caller runs the modifying items of WITH. Default: they are refused. */
  allowModifying?: boolean;
}

export interface BoundReturning {
  /** Expressions over the ids of the statement's columns (new, old and FROM columns of the source plan). */
  items: { name: string; type: ColType; expr: Expr; origin?: Origin; shape?: Shape }[];
}

interface BoundModify {
  relation: Relation;
  /** The modifying items of WITH, in order. */
  items: BoundModification[];
  returning: BoundReturning | null;
  /** Relations (OIDs) that are read, `relation` included. */
  dependencies: number[];
  /** Final type of each $n. */
  parameters: number[];
}

export type BoundConflict =
  /** `target`: names of the unique keys that count; null when any does. */
  | { action: 'nothing'; target: string[] | null }
  | {
      action: 'update';
      target: string[];
      /** Ids under which `set` and `where` see the stored row and the row proposed for insertion, in table order. */
      existing: Col[];
      excluded: Col[];
      /** New value of each column of the table, in table order. */
      set: Expr[];
      where: Expr | null;
    };

export interface BoundInsert extends BoundModify {
  k: 'insert';
  /** Produces the new rows. */
  source: Logical;
  /** The moment that `source` is read at; null: the present. */
  asOf: Expr | null;
  /** The columns of the table in order, as ids of `source`. */
  columns: Col[];
  /** Order of the rows of `source`, by its ids. */
  order: { id: number; desc: boolean; nullsFirst: boolean }[];
  /** Columns (by position) whose values are made row by row in that order: DEFAULTs that give another value each time, which are NULL in `source`. */
  inOrder: { column: number; value: Expr }[];
  onConflict: BoundConflict | null;
}

export interface BoundUpdate extends BoundModify {
  k: 'update';
  /** One row for each row to change. A target row that joins several FROM rows may appear several times: take any one. */
  source: Logical;
  oldColumns: Col[];
  newColumns: Col[];
}

export interface BoundDelete extends BoundModify {
  k: 'delete';
  source: Logical;
  oldColumns: Col[];
}

export interface BoundMerge extends BoundModify {
  k: 'merge';
  /** One row for each pair of rows, or row without a partner, that a clause changes. */
  source: Logical;
  /** 'INSERT', 'UPDATE' or 'DELETE'. */
  action: Col;
  /** NULL where a row is inserted. */
  oldColumns: Col[];
  /** NULL where a row is deleted. */
  newColumns: Col[];
  /** What RETURNING calls the row: the old one where it is deleted, else the new one. */
  currentColumns: Col[];
}

export type BoundModification = BoundInsert | BoundUpdate | BoundDelete | BoundMerge;

/** A SELECT whose WITH has modifying items. */
export interface BoundModifyingSelect {
  query: BoundQuery;
  items: BoundModification[];
}
