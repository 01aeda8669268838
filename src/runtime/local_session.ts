/** Sessions without a client: for statements that the server itself runs. */
import { defaultContext } from '../../operators/expr/context.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

/** No settings and no backend of its own; names of relations and types are known. */
function localContext(engine: TidemarkEngine, settings: Partial<EvalContext>): EvalContext {
  const context = defaultContext({ now: engine.loop.now, tick: engine.loop.tick, ...settings });
  const { catalogs } = engine.system;
  if (catalogs === null) return context;
  context.session = {
    getSetting: () => null,
    setSetting: (_name, value) => value,
    backendPid: () => 0,
    catalog: (name, args) => catalogs.answer(name, args, context),
  };
  return context;
}

/** A session for statements that the server itself runs. */
export function localSession(
  engine: TidemarkEngine,
  log?: (level: 'info', message: string) => void,
  settings: Partial<EvalContext> = {},
): SessionContext {
  const evalContext = localContext(engine, settings);
  return {
    evalContext,
    searchPath: evalContext.searchPath,
    getSetting: () => null,
    transaction: engine.begin(),
    notice: (_severity, _code, message) => log?.('info', message),
  };
}
