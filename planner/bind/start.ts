/**
 * The state a statement's binding starts with.
 */
import type { BindEnv } from './env.ts';
import { bindExpression } from './expression.ts';
import { Shared } from './level.ts';
import { bindSelect } from './select.ts';

export function newShared(env: BindEnv): Shared {
  return new Shared(env, { expression: bindExpression, select: bindSelect });
}
