/**
 * PostgreSQL's own parser and scanner: libpg-query, compiled to WebAssembly.
 *
 *   text -> UTF-8 in the module's memory -> JSON tree | (message, character position)
 *
 * The module is driven directly, not through the package's wrapper, because a fault must not outlive the statement that caused it: when
 * the tree is too deep the JavaScript stack overflows inside WebAssembly, the module's own stack pointer is never restored, and some
 * thirty such faults would break it for good. nesting.ts refuses deep statements before they get here; should one still fault, the
 * module is dropped and a spare one, loaded after the first statement, takes its place. (Not before: each has a memory of 128 MiB, of which nothing is touched
 * yet, but V8 collects garbage for it, and a start would wait for that.)
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { SqlError } from '../../operators/errors.ts';
import type { PgNode } from './ast.ts';
import { codePoints } from './positions.ts';

/** What is used of the emscripten module. */
interface ParserModule {
  HEAPU8: Uint8Array;
  HEAPU32: Uint32Array;
  UTF8ToString(pointer: number): string;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _wasm_parse_query_raw(text: number): number;
  _wasm_free_parse_result(result: number): void;
  _wasm_parse_plpgsql(text: number): number;
  _wasm_scan(text: number): number;
  _wasm_free_string(text: number): void;
}

interface ModuleOptions {
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): void;
}

const require = createRequire(import.meta.url);
const createModule = require('libpg-query/wasm/libpg-query.js') as (options: ModuleOptions) => Promise<ParserModule>;
/** Compiled once, by the engine's own threads. */
let code: Promise<WebAssembly.Module> | null = null;

let active: ParserModule | null = null;
let spare: ParserModule | null = null;
let loadFailure: unknown = null;
let ready: Promise<void> | null = null;
let spareAsked = false;

async function load(): Promise<void> {
  try {
    code ??= readFile(require.resolve('libpg-query/wasm/libpg-query.wasm')).then((bytes) => WebAssembly.compile(bytes));
    const compiled = await code;
    const loaded = await createModule({
      instantiateWasm: (imports, done) => done(new WebAssembly.Instance(compiled, imports)),
    });
    if (active === null) active = loaded;
    else spare = loaded;
  } catch (error) {
    loadFailure = error;
  }
}

/** Loads the parser; parse() may be called once this is done. Cheap when called again. */
export function initParser(): Promise<void> {
  ready ??= (async () => {
    await load();
    if (active === null) throw loadFailure;
  })();
  return ready;
}

/** A raw statement of Postgres's grammar: its node and its range in bytes. `length` undefined means "to the end of the text". */
export interface RawStatement {
  kind: string;
  node: PgNode;
  start: number;
  length: number | undefined;
}

/** Token numbers of PostgreSQL 18's scanner, as far as the dialect tells them apart. */
export const TOKEN = {
  IDENT: 258,
  UIDENT: 259,
  FCONST: 260,
  SCONST: 261,
  USCONST: 262,
  BCONST: 263,
  XCONST: 264,
  OP: 265,
  ICONST: 266,
  PARAM: 267,
  SQL_COMMENT: 275,
  C_COMMENT: 276,
} as const;

/** One token; `start` and `end` are byte offsets. */
export interface Token {
  type: number;
  text: string;
  start: number;
  end: number;
  /** Kind in Postgres's keyword list: 0 no keyword, 1 unreserved, 2 column name, 3 type or function name, 4 reserved. */
  keywordKind: number;
}

/** SQLSTATEs of the parser's messages that are not plain syntax errors. */
const SQLSTATE_OF_MESSAGE: [RegExp, string][] = [
  [/not yet implemented|(?<!syntax) is not supported|are not supported|not implemented|is obsolete/, '0A000'],
  [/^invalid byte sequence/, '22021'],
  [/^frame /, '42P20'],
  [/^precision for type float/, '22023'],
  [/^interval precision/, '22023'],
  [/^(unsafe use of|nonstandard use of)/, '22P06'],
  [/^invalid escape|^invalid Unicode escape$/, '22025'],
  [/^out of memory/, '53200'],
  [/ is declared CONSTANT$/, '22005'],
];

/** `raisedBy`: the C function that raised the error, where one message has several codes. */
function syntaxError(message: string, position: number, raisedBy = ''): SqlError {
  if (/^memory exhausted|^stack depth limit/.test(message)) return tooDeep();
  const known =
    raisedBy === 'str_udeescape' ? undefined : SQLSTATE_OF_MESSAGE.find(([pattern]) => pattern.test(message));
  const sqlstate = known?.[1] ?? '42601';
  return new SqlError(sqlstate, message, position > 0 ? { position } : {});
}

/** The error of a statement that is nested deeper than the parser can go, worded as PostgreSQL words it. */
export function tooDeep(): SqlError {
  return new SqlError('54001', 'stack depth limit exceeded', {
    hint: 'Simplify the statement, or split it into parts.',
  });
}

/** Runs `work` with the text in the module's memory. A fault of the module becomes an error of this statement only. */
function withText<T>(text: string, work: (module: ParserModule, pointer: number) => T): T {
  const module = active;
  if (module === null) {
    if (loadFailure !== null) throw loadFailure;
    throw new SqlError('57P03', 'the SQL parser is not loaded yet');
  }
  if (!spareAsked) {
    spareAsked = true;
    setImmediate(() => void load());
  }
  try {
    const bytes = Buffer.from(text, 'utf8');
    const pointer = module._malloc(bytes.length + 1);
    if (pointer === 0) throw new SqlError('53200', 'out of memory');
    try {
      module.HEAPU8.set(bytes, pointer);
      module.HEAPU8[pointer + bytes.length] = 0;
      return work(module, pointer);
    } finally {
      module._free(pointer);
    }
  } catch (error) {
    if (error instanceof SqlError) throw error;
    active = spare;
    spare = null;
    void load();
    if (error instanceof RangeError) throw tooDeep();
    throw new SqlError('53200', 'out of memory', { detail: `The SQL parser failed: ${String(error)}` });
  }
}

/** Parses text of Postgres's grammar into raw statements. Errors carry the 1-based character position in `text`. */
export function parsePostgres(text: string): RawStatement[] {
  const json = withText(text, (module, pointer) => {
    const result = module._wasm_parse_query_raw(pointer);
    if (result === 0) throw new SqlError('53200', 'out of memory');
    try {
      // struct { char *tree; char *stderr; struct { char *message, *function, *file; int line, cursor; } *error; }
      const tree = module.HEAPU32[result >> 2];
      const error = module.HEAPU32[(result >> 2) + 2];
      if (error !== 0) {
        const [message, raisedBy] = [0, 1].map((field) => module.UTF8ToString(module.HEAPU32[(error >> 2) + field]));
        throw syntaxError(message, module.HEAPU32[(error >> 2) + 4] | 0, raisedBy);
      }
      return module.UTF8ToString(tree);
    } finally {
      module._wasm_free_parse_result(result);
    }
  });
  const parsed = JSON.parse(json) as { stmts: { stmt: PgNode; stmt_location?: number; stmt_len?: number }[] };
  return parsed.stmts.map((raw) => {
    const kind = Object.keys(raw.stmt)[0];
    return { kind, node: raw.stmt[kind], start: raw.stmt_location ?? 0, length: raw.stmt_len };
  });
}

/** Parses a CREATE FUNCTION or DO whose language is PL/pgSQL into the tree of its function. */
export function parsePlpgsqlFunction(text: string): PgNode {
  const json = withText(text, (module, pointer) => {
    const result = module._wasm_parse_plpgsql(pointer);
    if (result === 0) throw new SqlError('53200', 'out of memory');
    try {
      return module.UTF8ToString(result);
    } finally {
      module._wasm_free_string(result);
    }
  });
  // Anything else is the text of an error.
  if (!json.startsWith('{')) throw syntaxError(json, 0);
  return JSON.parse(json).plpgsql_funcs[0].PLpgSQL_function;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROL = /[\u0001-\u001f]/g;

function scanJson(text: string): string {
  // The scanner refuses an empty text.
  if (text === '') return '{"tokens":[]}';
  return withText(text, (module, pointer) => {
    const result = module._wasm_scan(pointer);
    if (result === 0) throw new SqlError('53200', 'out of memory');
    try {
      return module.UTF8ToString(result);
    } finally {
      module._wasm_free_string(result);
    }
  });
}

/** Postgres's tokens of a text, comments left out. Errors: those of Postgres's scanner, such as an unterminated string. */
export function scanPostgres(text: string): Token[] {
  const json = scanJson(text);
  if (!json.startsWith('{')) {
    const unit = scanErrorUnit(text, json);
    throw syntaxError(json, unit < 0 ? 0 : codePoints(text, unit) + 1);
  }
  // The scanner's JSON leaves control characters inside tokens as they are, which JSON does not allow.
  const escaped = json.replace(CONTROL, (c) => `\\u00${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const { tokens } = JSON.parse(escaped) as {
    tokens: { start: number; end: number; text: string; tokenType: number; keywordKind: number }[];
  };
  const kept: Token[] = [];
  for (const { tokenType: type, text: word, start, end, keywordKind } of tokens) {
    if (type === TOKEN.SQL_COMMENT || type === TOKEN.C_COMMENT) continue;
    kept.push({ type, text: word, start, end, keywordKind });
  }
  return kept;
}

/**
 * Where the scanner stopped, in UTF-16 units; -1 when that is not known. Its message gives the text it stopped at and no position:
 * what is unterminated reaches to the end; anything else is the first place where scanning up to there works and one token more fails.
 */
function scanErrorUnit(text: string, message: string): number {
  const culprit = / at or near "([\s\S]*)"$/.exec(message)?.[1];
  if (culprit === undefined) return -1;
  if (message.startsWith('unterminated')) return text.endsWith(culprit) ? text.length - culprit.length : -1;
  for (let tries = 0, at = text.indexOf(culprit); at >= 0 && tries < 10; tries++, at = text.indexOf(culprit, at + 1)) {
    const fails = scanJson(text.slice(0, at + culprit.length)) === message;
    if (fails && scanJson(text.slice(0, at)).startsWith('{')) return at;
  }
  return -1;
}
