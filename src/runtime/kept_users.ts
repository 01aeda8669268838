/** Rows that are kept (of materialized views, sinks, subscriptions) were computed with the queries of views and the bodies of functions of then, and would be wrong with others. */
import { SqlError } from '../../operators/errors.ts';
import { signatureText } from '../../planner/bind/index.ts';
import { type CatalogObject, type FunctionObject, KIND_NAMES, type ViewObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

/** `function f(integer,text)`, `table t` */
export function wordsOf(object: CatalogObject): string {
  return `${KIND_NAMES[object.kind]} ${object.kind === 'function' ? signatureText(object.proc) : object.name}`;
}

/** What is kept up to date over an object, itself or through views and functions, as errors name it; not what the transaction has dropped. */
export function keptUsers(
  { catalog }: TidemarkEngine,
  { oid }: CatalogObject,
  { searchPath }: SessionContext,
): string[] {
  return catalog
    .dependents([oid])
    .filter(({ kind }) => kind === 'materialized_view' || kind === 'sink' || kind === 'subscription')
    .filter((user) => !catalog.isGone(user.oid, searchPath))
    .map(wordsOf);
}

/** 0A000 when there are users of a view or a function that is to give something else. */
export function refuseWhileKept(object: FunctionObject | ViewObject, users: string[]): void {
  if (users.length === 0) return;
  const words = wordsOf(object);
  const kind = KIND_NAMES[object.kind];
  throw new SqlError('0A000', `cannot change what ${words} gives while rows are kept that were computed with it`, {
    detail: users.map((user) => `${user} depends on ${words}`).join('\n'),
    hint: `Drop what is named in the detail, replace the ${kind}, and make it again; or make a ${kind} with another name.`,
  });
}
