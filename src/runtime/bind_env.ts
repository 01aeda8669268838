/** What the binder knows of a session and the catalog, and what it notes of a statement. */
import type { BindEnv } from '../../planner/bind/index.ts';
import type { SessionContext } from '../engine.ts';
import { type Need, noteNeeds } from './access.ts';
import { defaultOf } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';

/** What the statement needs comes to be in `needs`. */
export function bindEnv(
  engine: TidemarkEngine,
  session: SessionContext,
  paramTypes: number[],
  mode: BindEnv['mode'],
): BindEnv & { needs: Need[] } {
  const needs: Need[] = [];
  const { catalog } = engine;
  return {
    needs,
    ...noteNeeds(engine, needs),
    catalog: catalog.reader(session.searchPath),
    evalContext: session.evalContext,
    paramTypes,
    searchPath: session.searchPath,
    mode,
    again: engine.replay !== null,
    allowParams: mode === 'read',
    ...(mode === 'read' && session.variables !== undefined ? { variables: session.variables } : {}),
    columnDefault: (relation, column) => defaultOf(engine, relation, column, session.searchPath),
  };
}
