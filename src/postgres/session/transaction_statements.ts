/** BEGIN, COMMIT, ROLLBACK, SAVEPOINT and the statements about a transaction's modes. */
import { unsupported } from '../../../operators/errors.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import { commandTag } from '../../../planner/parse/command_tag.ts';
import type { Session } from './session.ts';
import { notInBlock } from './transaction_block.ts';

type TransactionStatement = Extract<Statement, { k: 'transaction' }>;

const MODES = ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'];

/** In a block, or after another statement of the same implicit transaction. */
export function inTransactionBlock(session: Session): boolean {
  return session.block.explicit || session.statementsInImplicit > 0;
}

function savepointName(statement: TransactionStatement): string {
  return statement.name ?? '';
}

/** Runs it; gives the command tag, which is ROLLBACK for the COMMIT of a failed transaction. */
export async function transactionStatement(session: Session, statement: TransactionStatement): Promise<string> {
  const tag = commandTag(statement);
  switch (statement.kind) {
    case 'begin':
      begin(session, statement);
      return tag;
    case 'commit':
    case 'rollback':
      return end(session, statement);
    case 'savepoint':
      session.block.savepoint(savepointName(statement));
      return tag;
    case 'release':
      session.block.release(savepointName(statement));
      return tag;
    case 'rollback_to':
      session.block.rollbackTo(savepointName(statement));
      return tag;
    case 'set':
      if (!session.block.explicit) {
        session.notice('WARNING', '25P01', 'SET TRANSACTION can only be used in transaction blocks');
        return tag;
      }
      setModes(session, statement.options);
      return tag;
    case 'set_session':
      for (const [name, value] of Object.entries(statement.options))
        session.settings.set(`default_${name}`, value, false);
      return tag;
  }
}

function begin(session: Session, statement: TransactionStatement): void {
  if (session.block.explicit) {
    session.notice('WARNING', '25001', 'there is already a transaction in progress');
    return;
  }
  session.block.beginBlock();
  beginModes(session, statement.options);
}

/** A new transaction has the session's default modes where BEGIN gives none. */
function beginModes(session: Session, options: Record<string, string>): void {
  for (const name of MODES) {
    const value = session.settings.raw(`default_${name}`);
    if (value !== null && options[name] === undefined && value !== session.settings.raw(name)) {
      session.settings.set(name, value, true);
    }
  }
  setModes(session, options);
}

function setModes(session: Session, options: Record<string, string>): void {
  if (options.snapshot !== undefined) throw unsupported('SET TRANSACTION SNAPSHOT');
  for (const name of MODES) if (options[name] !== undefined) session.settings.set(name, options[name], true);
}

async function end(session: Session, statement: TransactionStatement): Promise<string> {
  const { block } = session;
  const chain = statement.options.chain === 'on';
  const word = statement.kind === 'commit' ? 'COMMIT' : 'ROLLBACK';
  if (!block.explicit) {
    if (chain) throw notInBlock(`${word} AND CHAIN`);
    session.notice('WARNING', '25P01', 'there is no transaction in progress');
  }
  const modes: Record<string, string> = {};
  if (chain) for (const name of MODES) modes[name] = session.settings.raw(name) ?? '';
  const rollBack = statement.kind === 'rollback' || block.failed;
  if (rollBack) session.rollback();
  else await session.commit();
  if (chain) {
    block.beginBlock();
    setModes(session, modes);
  }
  return rollBack ? 'ROLLBACK' : 'COMMIT';
}
