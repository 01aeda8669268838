/**
 * sqllogictest files as records, for all dialects of the format that exist: SQLite's, sqllogictest-rs (RisingWave, DataFusion),
 * Materialize's (CockroachDB mode) and DuckDB's. One parser; the dialect only decides how expected rows are written.
 *
 *   statement ok | error [regex]        query TYPES [sort] [label]       skipif / onlyif ENGINE       include, halt, hash-threshold, mode, ...
 */
export type Sort = 'nosort' | 'rowsort' | 'valuesort';

/** How expected values stand: one a line, or one row a line with blanks or tabs between. */
export type Layout = 'values' | 'rows' | 'tabs';

export interface StatementRecord {
  k: 'statement';
  line: number;
  sql: string;
  /** Null: must succeed. Else a text the error must contain or match; '' for any error. */
  error: string | null;
  /** Affected rows, where given. */
  count: number | null;
}

export interface QueryRecord {
  k: 'query';
  line: number;
  sql: string;
  types: string;
  sort: Sort;
  label: string | null;
  /** Null: the query must fail (`error` says how). */
  expected: string[] | null;
  error: string | null;
  layout: Layout;
  /** CockroachDB mode: booleans as words, blanks as a visible sign. */
  cockroach: boolean;
  multiline: boolean;
  /** The first expected row has the columns' names. */
  named: boolean;
}

export interface ControlRecord {
  k: 'halt' | 'include' | 'sleep' | 'unsupported';
  line: number;
  text: string;
}

export type SltRecord = StatementRecord | QueryRecord | ControlRecord;

export interface SltFile {
  records: SltRecord[];
  hashThreshold: number;
}

/** Engines that a file's skipif and onlyif lines may mean by us: we answer as PostgreSQL does. */
const OUR_NAMES = new Set(['postgresql', 'postgres', 'tidemark']);

/** `path` decides the dialect where the text does not. */
export function parseRecords(text: string, path: string): SltFile {
  return new Reader(text.replaceAll('\r\n', '\n').split('\n'), path).file();
}

class Reader {
  readonly #lines: string[];
  #at = 0;
  #layout: Layout;
  #cockroach = false;
  #skip = false;
  #hashThreshold = 0;
  readonly #records: SltRecord[] = [];

  constructor(lines: string[], path: string) {
    this.#lines = lines;
    this.#layout =
      path.includes('/duckdb/') && !path.includes('risingwave')
        ? 'tabs'
        : path.endsWith('.test') || path.includes('materialize')
          ? 'values'
          : 'rows';
  }

  file(): SltFile {
    while (this.#at < this.#lines.length) this.#next();
    return { records: this.#records, hashThreshold: this.#hashThreshold };
  }

  #next(): void {
    const line = this.#lines[this.#at++].replace(/(^|\s)#.*$/, (m) => (m.trimStart().startsWith('#') ? '' : m)).trim();
    if (line === '') return;
    const number = this.#at;
    const [word, ...rest] = line.split(/\s+/);
    switch (word) {
      case 'statement':
        this.#push(this.#statement(rest, number));
        return;
      case 'query':
        this.#push(this.#query(rest, number));
        return;
      case 'skipif':
        if (OUR_NAMES.has(rest[0])) this.#skip = true;
        return;
      case 'onlyif':
        if (!OUR_NAMES.has(rest[0])) this.#skip = true;
        return;
      case 'hash-threshold':
        this.#hashThreshold = Number(rest[0]);
        return;
      case 'mode':
        this.#cockroach = rest[0] === 'cockroach';
        this.#layout = this.#cockroach ? 'rows' : 'values';
        return;
      case 'halt':
      case 'include':
      case 'sleep':
        this.#push({ k: word, line: number, text: rest.join(' ') });
        return;
      case 'subtest':
      case 'user':
      case 'connection':
      case 'reset-server':
      case 'control':
      case 'require':
      case 'load':
      case 'name:':
      case 'description:':
      case 'group:':
        return;
      case 'system':
        if (this.#block().more) this.#expected();
        return;
      default:
        this.#push({ k: 'unsupported', line: number, text: line });
        this.#block();
    }
  }

  #push(record: SltRecord): void {
    if (!this.#skip) this.#records.push(record);
    this.#skip = false;
  }

  /** Lines up to a blank one, or up to ---- (then `more` is true). */
  #block(): { text: string; more: boolean } {
    const lines: string[] = [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at++];
      if (line.trim() === '----') return { text: lines.join('\n'), more: true };
      if (line.trim() === '') break;
      lines.push(line);
    }
    return { text: lines.join('\n'), more: false };
  }

  #statement(words: string[], line: number): StatementRecord {
    const { text, more } = this.#block();
    let error: string | null = null;
    if (words[0] === 'error' || words[0] === 'maybe') error = words.slice(1).join(' ');
    if (more) {
      const message = this.#message();
      if (error !== null && error === '') error = message;
    }
    const count = words[0] === 'count' ? Number(words[1]) : null;
    return { k: 'statement', line, sql: text, error, count };
  }

  #query(words: string[], line: number): QueryRecord {
    const failing = words[0] === 'error';
    const flags = words.slice(1);
    const sort = (flags.find((f) => /^(nosort|rowsort|valuesort)$/.test(f.split(',')[0])) ?? 'nosort').split(
      ',',
    )[0] as Sort;
    const label = flags.find((f) => f.startsWith('label-')) ?? null;
    const has = (option: string) => flags.some((f) => f.split(',').includes(option));
    const { text, more } = this.#block();
    const expected = more && !failing ? this.#expected() : [];
    const message = more && failing ? this.#message() : '';
    const error = failing ? flags.join(' ') || message : null;
    return {
      k: 'query',
      line,
      sql: text,
      types: failing ? '' : (words[0] ?? ''),
      sort,
      label,
      expected: failing ? null : expected,
      error,
      layout: this.#layout,
      cockroach: this.#cockroach,
      multiline: has('multiline'),
      named: has('colnames'),
    };
  }

  /** Of an error; those of sqllogictest-rs may have blank lines, and end with two. */
  #message(): string {
    if (this.#layout !== 'rows' || this.#cockroach) return this.#expected().join('\n').trim();
    const lines: string[] = [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at++];
      if (line.trim() === '' && (this.#lines[this.#at] ?? '').trim() === '') break;
      lines.push(line);
    }
    return lines.join('\n').trim();
  }

  #expected(): string[] {
    const lines: string[] = [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at++];
      if (line.trim() === '') break;
      lines.push(line);
    }
    return lines;
  }
}
