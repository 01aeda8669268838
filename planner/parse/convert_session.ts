/** Session statements: settings, transactions, prepared statements, cursors, notifications. */
import type { PgNode, Statement } from './ast.ts';
import { constantText, defElemOptions } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';

type Kind<K extends Statement['k']> = Extract<Statement, { k: K }>;

/** Value of one SET argument: a number where a number was written, otherwise text. */
export function settingValue(item: PgNode): string | number {
  const constant = item.A_Const as PgNode;
  const text = constantText(constant);
  return constant.ival || constant.fval ? Number(text) : text;
}

/** Transaction modes as the settings that they set. */
function transactionModes(list: PgNode[] | undefined): Record<string, string> {
  const modes: Record<string, string> = {};
  for (const { DefElem: mode } of list ?? []) {
    const constant = mode.arg.A_Const as PgNode;
    modes[mode.defname] = constant.ival ? (constant.ival.ival ? 'on' : 'off') : constantText(constant);
  }
  return modes;
}

export function variableSet(node: PgNode, source: Source): Statement {
  const { kind, name } = node;
  const local = node.is_local === true;
  if (kind === 'VAR_RESET_ALL') return { ...source, k: 'reset', name: null };
  if (kind === 'VAR_SET_MULTI') {
    if (name === 'TRANSACTION SNAPSHOT') {
      return { ...source, k: 'transaction', kind: 'set', options: { snapshot: constantText(node.args[0].A_Const) } };
    }
    const set = name === 'TRANSACTION' ? 'set' : 'set_session';
    return { ...source, k: 'transaction', kind: set, options: transactionModes(node.args) };
  }
  if (kind === 'VAR_RESET') return { ...source, k: 'reset', name };
  if (kind === 'VAR_SET_DEFAULT') return { ...source, k: 'set', name, values: null, local };
  if (kind === 'VAR_SET_CURRENT') throw errorAt(source, '0A000', 'SET ... FROM CURRENT is not supported');
  const args = node.args as PgNode[];
  if (args[0].TypeCast) return { ...source, k: 'set', name, values: [], local, timezoneInterval: args[0] };
  return { ...source, k: 'set', name, values: args.map(settingValue), local };
}

const TRANSACTION_KIND: Record<string, Kind<'transaction'>['kind']> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollback_to',
};

export function transaction(node: PgNode, source: Source): Kind<'transaction'> {
  const kind = TRANSACTION_KIND[node.kind];
  if (kind === undefined) throw errorAt(source, '0A000', 'two-phase commit (PREPARE TRANSACTION) is not supported');
  const options = transactionModes(node.options);
  if (node.chain) options.chain = 'on';
  return {
    ...source,
    k: 'transaction',
    kind,
    options,
    ...(node.savepoint_name === undefined ? {} : { name: node.savepoint_name }),
    ...(node.kind === 'TRANS_STMT_START' ? { start: true } : {}),
  };
}

const DIRECTION: Record<string, Kind<'fetch'>['direction']> = {
  FETCH_FORWARD: 'forward',
  FETCH_BACKWARD: 'backward',
  FETCH_ABSOLUTE: 'absolute',
  FETCH_RELATIVE: 'relative',
};

/** libpg-query's stand-in for FETCH ALL: LONG_MAX of its 32-bit build. */
const FETCH_ALL = 2147483647;

export function fetch(node: PgNode, source: Source): Kind<'fetch'> {
  const count = node.howMany ?? 0;
  return {
    ...source,
    k: 'fetch',
    name: node.portalname,
    count: count >= FETCH_ALL ? 'all' : count,
    direction: DIRECTION[node.direction],
    move: node.ismove === true,
    options: [],
  };
}

/** Bits of DeclareCursorStmt.options. */
const CURSOR = { binary: 0x01, scroll: 0x02, noScroll: 0x04, hold: 0x20 };

export function declareCursor(node: PgNode, source: Source): Kind<'declare_cursor'> {
  const bits = node.options ?? 0;
  return {
    ...source,
    k: 'declare_cursor',
    name: node.portalname,
    query: { select: node.query.SelectStmt, text: source.text },
    binary: (bits & CURSOR.binary) !== 0,
    scroll: (bits & CURSOR.scroll) !== 0,
    noScroll: (bits & CURSOR.noScroll) !== 0,
    hold: (bits & CURSOR.hold) !== 0,
  };
}

export function explain(node: PgNode, inner: Statement, source: Source): Kind<'explain'> {
  const options = defElemOptions(node.options, source);
  const analyze = options.findLast((option) => option.name === 'analyze');
  return {
    ...source,
    k: 'explain',
    inner,
    analyze: analyze !== undefined && !/^(false|off|0)$/i.test(analyze.value),
    options,
  };
}
