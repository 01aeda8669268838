/**
 * The commands that a connection of replication has besides SQL (PostgreSQL's manual, "Streaming Replication Protocol").
 *
 *   IDENTIFY_SYSTEM
 *   CREATE_REPLICATION_SLOT name [TEMPORARY] LOGICAL plugin [(SNAPSHOT 'use', ...) | USE_SNAPSHOT | ...]
 *   START_REPLICATION SLOT name LOGICAL position [(option 'value', ...)]
 *   DROP_REPLICATION_SLOT name [WAIT]
 */
import { SqlError } from '../../../operators/errors.ts';
import { parseLsn } from './lsn.ts';

export type ReplicationCommand =
  | { k: 'identify_system' }
  | { k: 'create_slot'; name: string; temporary: boolean; plugin: string; snapshot: 'export' | 'use' | 'nothing' }
  | { k: 'start'; slot: string; from: bigint; options: Map<string, string> }
  | { k: 'drop_slot'; name: string };

const BEGINS =
  /^\s*(IDENTIFY_SYSTEM|(CREATE|DROP|READ|ALTER)_REPLICATION_SLOT|START_REPLICATION|TIMELINE_HISTORY|BASE_BACKUP)\b/i;
const TOKEN = /\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|([0-9A-Fa-f]+\/[0-9A-Fa-f]+|[A-Za-z_][\w$]*|\d+)|([(),;]))/y;

interface Token {
  text: string;
  /** A bare word can be a keyword. */
  bare: boolean;
}

export function isReplicationCommand(sql: string): boolean {
  return BEGINS.test(sql);
}

/** Throws 42601 for what is none of them, 0A000 for what is about physical replication. */
export function replicationCommand(sql: string): ReplicationCommand {
  const words = new Words(sql);
  const what = words.next().toUpperCase();
  const command = commandOf(what, words);
  words.take(';');
  words.end();
  return command;
}

function commandOf(what: string, words: Words): ReplicationCommand {
  switch (what) {
    case 'IDENTIFY_SYSTEM':
      return { k: 'identify_system' };
    case 'CREATE_REPLICATION_SLOT':
      return createSlot(words);
    case 'START_REPLICATION':
      return start(words);
    case 'DROP_REPLICATION_SLOT': {
      const name = words.next();
      words.take('WAIT');
      return { k: 'drop_slot', name };
    }
    default:
      throw new SqlError('0A000', `${what} is not supported`);
  }
}

const SNAPSHOTS: Record<string, 'export' | 'use' | 'nothing'> = {
  EXPORT_SNAPSHOT: 'export',
  USE_SNAPSHOT: 'use',
  NOEXPORT_SNAPSHOT: 'nothing',
};

function createSlot(words: Words): ReplicationCommand {
  const name = words.next();
  const temporary = words.take('TEMPORARY');
  if (words.take('PHYSICAL')) throw physical();
  words.expect('LOGICAL');
  const plugin = words.next();
  let snapshot: 'export' | 'use' | 'nothing' = 'export';
  for (const word of Object.keys(SNAPSHOTS)) if (words.take(word)) snapshot = SNAPSHOTS[word];
  for (const [option, value] of words.options()) {
    const said = value.toLowerCase();
    if (option === 'snapshot' && (said === 'export' || said === 'use' || said === 'nothing')) snapshot = said;
    else if (option === 'snapshot' || !['two_phase', 'failover', 'reserve_wal'].includes(option))
      throw new SqlError('42601', `unrecognized value for CREATE_REPLICATION_SLOT option "${option}": "${value}"`);
    else if (/^(true|on|yes|1|)$/i.test(value))
      throw new SqlError('0A000', `CREATE_REPLICATION_SLOT option "${option}" is not supported`);
  }
  return { k: 'create_slot', name, temporary, plugin, snapshot };
}

function start(words: Words): ReplicationCommand {
  if (!words.take('SLOT')) throw physical();
  const slot = words.next();
  if (!words.take('LOGICAL')) throw physical();
  const from = parseLsn(words.next());
  return { k: 'start', slot, from, options: words.options() };
}

function physical(): SqlError {
  return new SqlError('0A000', 'physical replication is not supported', {
    hint: 'Use logical replication, or tidemark backup.',
  });
}

const NAME = /\s*(?:"((?:[^"]|"")+)"|([^\s,"][^\s,]*))\s*(,|$)/y;

/** Names of a list such as `"a","b c"`, as PostgreSQL splits identifiers: bare ones in lower case, of any letters. Throws 42602. */
export function nameList(text: string): string[] {
  const names: string[] = [];
  if (text.trim() === '') return names;
  NAME.lastIndex = 0;
  for (let more = true; more; ) {
    const match = NAME.exec(text);
    if (match === null) throw new SqlError('42602', 'invalid publication_names syntax');
    const [, quoted, bare, comma] = match;
    names.push(quoted === undefined ? bare.toLowerCase() : quoted.replaceAll('""', '"'));
    more = comma === ',';
  }
  return names;
}

class Words {
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(sql: string) {
    TOKEN.lastIndex = 0;
    const text = sql.trimEnd();
    for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (match === null) throw syntaxError(text.slice(at).trim());
      const [, quoted, literal, word, symbol] = match;
      if (quoted !== undefined) this.#tokens.push({ text: quoted.replaceAll('""', '"'), bare: false });
      else if (literal !== undefined) this.#tokens.push({ text: literal.replaceAll("''", "'"), bare: false });
      else this.#tokens.push({ text: word ?? symbol, bare: true });
    }
  }

  next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw syntaxError('');
    this.#at++;
    return token.text;
  }

  name(): string {
    const bare = this.#tokens[this.#at]?.bare;
    const text = this.next();
    return bare ? text.toLowerCase() : text;
  }

  take(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.bare !== true || token.text.toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) throw syntaxError(this.#tokens[this.#at]?.text ?? '');
  }

  /** ( name ['value'] [, ...] ), if it stands here. */
  options(): Map<string, string> {
    const options = new Map<string, string>();
    if (!this.take('(')) return options;
    if (this.take(')')) return options;
    do {
      const name = this.name();
      const token = this.#tokens[this.#at];
      const isEnd = token === undefined || (token.bare && (token.text === ',' || token.text === ')'));
      options.set(name, isEnd ? '' : this.next());
    } while (this.take(','));
    this.expect(')');
    return options;
  }

  end(): void {
    const left = this.#tokens[this.#at];
    if (left !== undefined) throw syntaxError(left.text);
  }
}

function syntaxError(at: string): SqlError {
  return new SqlError('42601', at === '' ? 'syntax error at end of input' : `syntax error at or near "${at}"`);
}
