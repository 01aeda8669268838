/** SET and RESET: from what was written to the setting's text. */
import { SqlError } from '../../../operators/errors.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { PgNode, Statement } from '../../../planner/parse/ast.ts';
import { settingText } from '../../runtime/setting_text.ts';
import type { Session } from './session.ts';
import { fixedOffsetZone } from './time_zone_setting.ts';

type SetStatement = Extract<Statement, { k: 'set' }>;

/** SET TIME ZONE INTERVAL '...': an offset east of Greenwich. */
function intervalZone(session: Session, node: PgNode): string {
  const text = String(node.TypeCast?.arg?.A_Const?.sval?.sval ?? '');
  const value = inputText(text, colType(OID.interval), session.context.evalContext);
  if (value === null || typeof value !== 'object' || !('micros' in value)) throw new Error('not an interval');
  if (value.months !== 0)
    throw new SqlError('22023', 'invalid value for parameter "TimeZone"', {
      detail: 'Cannot specify months in time zone interval.',
    });
  if (value.days !== 0)
    throw new SqlError('22023', 'invalid value for parameter "TimeZone"', {
      detail: 'Cannot specify days in time zone interval.',
    });
  return fixedOffsetZone(Number(value.micros / 1000000n));
}

export function setSetting(session: Session, statement: SetStatement): void {
  const { name, values, local } = statement;
  if (local && !session.block.explicit) {
    session.notice('WARNING', '25P01', 'SET LOCAL can only be used in transaction blocks');
  }
  if (statement.timezoneInterval !== undefined) {
    session.settings.set(name, intervalZone(session, statement.timezoneInterval), local);
  } else if (values === null) session.settings.reset(name, local);
  else {
    const key = name.toLowerCase();
    const text = settingText(name, values);
    // SET TIME ZONE LOCAL and DEFAULT come as these words.
    if (key === 'timezone' && /^(local|default)$/i.test(text)) session.settings.reset(name, local);
    else session.settings.set(name, text, local);
  }
}

export function resetSetting(session: Session, statement: Extract<Statement, { k: 'reset' }>): void {
  if (statement.name === null) session.settings.resetAll();
  else session.settings.reset(statement.name);
}
