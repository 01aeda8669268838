/** A session seen with something of it replaced. Contexts are not plain objects: what they give moves with settings and transactions, so that a copy of one has nothing in it. */
import type { SessionContext } from '../engine.ts';

export function sessionWith(
  session: SessionContext,
  other: Partial<Pick<SessionContext, 'searchPath' | 'notice' | 'variables' | 'useTemporary'>>,
): SessionContext {
  return {
    get evalContext() {
      return session.evalContext;
    },
    get searchPath() {
      return other.searchPath ?? session.searchPath;
    },
    get transaction() {
      return session.transaction;
    },
    getSetting: (name) => session.getSetting(name),
    ...(session.seeOpen === undefined ? {} : { seeOpen: (open: number | null) => session.seeOpen?.(open) }),
    ...(session.onEnd === undefined ? {} : { onEnd: (work: () => void) => session.onEnd?.(work) }),
    ...(other.variables === undefined ? {} : { variables: other.variables }),
    ...(other.useTemporary === undefined ? {} : { useTemporary: other.useTemporary }),
    notice: other.notice ?? ((...said) => session.notice(...said)),
  };
}
