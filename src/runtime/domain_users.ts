/**
 * What has values of a domain: what keeps its constraints from being changed, and what is looked at when it gets one.
 *
 *   computed again    views, sinks, subscriptions and indexes that name it: a row that goes has to come to what it came to; 0A000
 *   read again        streams and tables over a topic: their records are not kept, so nobody can say whether they fit; 0A000 for a constraint more
 *   stored            rows of tables and views with a column of it, of a domain over it, or of an array: looked at, 23502 and 23514
 *   written, waiting  rows of transactions that are open: looked at when they are published (write_check.ts), by `since`
 */
import { readRow, weightOf } from '../../operators/batch/builder.ts';
import { type Datum, isPgArray } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { checkDomain, domainTypeOf } from '../../operators/expr/domain_types.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { turn } from '../../operators/turn.ts';
import type { ColType } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { type DomainObject, KIND_NAMES } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { evaluatorOf } from './row_expression.ts';
import { indexesSaying } from './type_users.ts';

/** The domains that values of a type have to fit; of an array its elements. */
export function domainsOf({ domain }: ColType): number[] {
  if (domain === undefined) return [];
  const own = domain & ~1;
  const type = domainTypeOf(own);
  return type === undefined ? [] : [own, ...domainsOf(type.base)];
}

/** 0A000 while something that is computed again makes values of it. `more`: they have to fit something more then. */
export function checkNotComputed(engine: TidemarkEngine, object: DomainObject, more: boolean): void {
  if (engine.replay !== null) return;
  const { catalog, loop } = engine;
  const kept = catalog
    .dependents([object.oid])
    .filter(({ kind }) => kind === 'materialized_view' || kind === 'sink' || kind === 'subscription');
  const sources = catalog.objects().filter((other) => {
    return (
      more &&
      'relation' in other &&
      'source' in other &&
      other.source !== null &&
      other.relation.columns.some((c) => domainsOf(c.type).includes(object.type.oid))
    );
  });
  const users = [...kept, ...indexesSaying(engine, object), ...sources].map(
    ({ kind, name }) => `${KIND_NAMES[kind]} ${name} depends on type ${object.name}`,
  );
  if ([...loop.views(), ...engine.pastQueries].some(({ oid }) => catalog.get(oid) === undefined))
    users.push('a SUBSCRIBE to a query is running');
  if (users.length === 0) return;
  throw new SqlError('0A000', `cannot change the constraints of domain ${object.name} while values are made with it`, {
    detail: users.join('\n'),
    hint: 'Drop what is named in the detail, change the domain, and make it again.',
  });
}

/** Between two looks whether the statement is to end. */
const LOOK_ROWS = 256;

/** What a domain gets. */
export type Added = { k: 'not_null' } | { k: 'check'; expr: Expr };

/** Throws when a value that is there does not fit. */
export function checkStored(
  engine: TidemarkEngine,
  object: DomainObject,
  added: Added,
  { evalContext }: SessionContext,
): void {
  if (engine.replay !== null) return;
  const fits = (value: Datum): boolean => {
    if (added.k === 'not_null') return value !== null;
    return evaluatorOf(added.expr)([value], evalContext) !== false;
  };
  for (const { relation, columns } of relationsWith(engine, object)) {
    engine.loop.relations.get(relation.oid)?.inPieces((rows) => {
      for (let i = 0; i < rows.n; i++) {
        if (i % LOOK_ROWS === 0) turn.look();
        if (weightOf(rows, i) <= 0) continue;
        const row = readRow(rows, i);
        const bad = columns.find((c) => !valuesOf(row[c], relation.columns[c].type, object.type.oid).every(fits));
        if (bad !== undefined) throw notFitting(relation, relation.columns[bad].name, added);
      }
      return false;
    });
  }
}

function notFitting({ schema, name: table }: Relation, column: string, { k }: Added): SqlError {
  const where = { schema, table, column };
  if (k === 'not_null')
    return new SqlError('23502', `column "${column}" of table "${table}" contains null values`, where);
  const message = `column "${column}" of table "${table}" contains values that violate the new constraint`;
  return new SqlError('23514', message, where);
}

/** What in a value is of the domain. */
function valuesOf(value: Datum, { domain }: ColType, oid: number): Datum[] {
  if (domain === undefined) return [];
  if (domain % 2 === 1) {
    return isPgArray(value)
      ? value.items.flatMap((item) => valuesOf(item, { oid: 0, typmod: -1, domain: domain - 1 }, oid))
      : [];
  }
  const type = domainTypeOf(domain);
  return domain === oid || type === undefined ? [value] : valuesOf(value, type.base, oid);
}

function relationsWith(
  { catalog }: TidemarkEngine,
  { type }: DomainObject,
): { relation: Relation; columns: number[] }[] {
  return catalog.objects().flatMap((object) => {
    if (!('relation' in object)) return [];
    const { relation } = object;
    const columns = relation.columns.flatMap((c, i) => (!c.dropped && domainsOf(c.type).includes(type.oid) ? [i] : []));
    return columns.length === 0 ? [] : [{ relation, columns }];
  });
}

/** Rows that wait to be published are looked at then. */
export function constrainUsers(engine: TidemarkEngine, object: DomainObject): void {
  for (const { relation } of relationsWith(engine, object)) engine.loop.constrained(relation.oid);
}

/** Throws when a value of the row does not fit its column's domain. `columns`: those that are looked at. */
export function checkDomains({ columns: all }: Relation, columns: number[], row: Datum[], context: EvalContext): void {
  for (const c of columns) checkDomain(row[c], all[c].type.domain as number, context);
}
