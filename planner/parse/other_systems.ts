/**
 * What other systems spell in another way: the hint of an error that such a spelling ends with. Who comes from Flink SQL, ksqlDB, Materialize or RisingWave writes
 * what is a syntax error or an unknown name here, and is told what it is called.
 *
 *   42601  a syntax error: the statement up to some words behind the place where it went wrong, against SYNTAX
 *   42883  an unknown function: FUNCTIONS        42704  an unknown type: TYPES, or setting: LISTS
 *
 * Only hints: nothing of it is accepted. Looked at when a statement has failed already.
 */
import { SqlError } from '../../operators/errors.ts';

const WINDOWS =
  'Windows stand in FROM and add window_start and window_end to each row: FROM TUMBLE(relation, time_column, INTERVAL ...) GROUP BY window_start, ...; so HOP, CUMULATE and SESSION.';
const CATALOG =
  "psql's \\d+, information_schema and pg_catalog show definitions; tidemark.sources, tidemark.views and tidemark.sinks what is running.";
const OPTIONS =
  "Connectors, addresses and formats are options of each stream, table and sink: WITH (connector = 'kafka', brokers = '...', topic = '...', format = 'json').";
const FOLLOW =
  'SUBSCRIBE relation, or SUBSCRIBE (query), follows changes; in psql: COPY (SUBSCRIBE relation) TO STDOUT.';
const NOW =
  "A condition such as  time_column > now() - INTERVAL '5 minutes'  in WHERE lets rows leave a view as time goes on.";
const ARRIVAL = 'For the time at which a row came in, give the stream a column with DEFAULT now().';
const LATEST = 'The latest row of a key: SELECT DISTINCT ON (key) ... ORDER BY key, time_column DESC.';

/** Tried in this order; the mark | stands where the error is, and texts are empty. */
const SYNTAX: [RegExp, string][] = [
  [/\bemit\s*\|?\s*changes\b/, `A view is always kept up to date: leave EMIT CHANGES out. ${FOLLOW}`],
  [/\bemit\s*\|?\s*final\b/, 'EMIT ON WINDOW CLOSE behind the query of a view shows each window once it is final.'],
  [/\btable\s*\(\s*(tumble|hop|cumulate|session)\b/, `${WINDOWS} There is no TABLE() and no DESCRIPTOR().`],
  [/\bwindow\s*\|?\s*(tumbling|hopping|session)\s*\|?\s*\(/, WINDOWS],
  [
    /\bmatch_recognize\b/,
    'There is no MATCH_RECOGNIZE: write the pattern with lag() and lead(), with joins in a band of time (b.at BETWEEN a.at AND a.at + INTERVAL ...), or as a regular expression over string_agg(... ORDER BY time) of a window.',
  ],
  [
    /\bqualify\s+\|/,
    'There is no QUALIFY: compute the window function in a subquery and compare it in the outer WHERE.',
  ],
  [
    /\bwithin\s*\|?\s*(\(|\d)/,
    "A join in a band of time: ON a.k = b.k AND b.at BETWEEN a.at AND a.at + INTERVAL '...'.",
  ],
  [/\bwith\s*\(.*\|\s*''\s*=/, `Names of options stand without quotes. ${OPTIONS}`],
  [/\bproperties\s*\|?\s*\./, `The addresses are the option brokers. ${OPTIONS}`],
  [
    /^create\s.*\bmetadata\b/,
    'Parts of a message that are not in its value: INCLUDE KEY | PARTITION | OFFSET | TIMESTAMP | HEADERS [AS column] behind the column list.',
  ],
  [/^create\s.*\bas\s+proctime\b|\bas\s*\|?\s*proctime\b/, ARRIVAL],
  [
    /^create\s+(or\s+replace\s+)?(stream|table)\b.*\|\s*key\b/,
    "The key of a message: INCLUDE KEY [AS column] behind the column list; a table that is kept by keys: CREATE TABLE ... (..., PRIMARY KEY (...)) WITH (connector = 'kafka', envelope = 'upsert', ...).",
  ],
  [
    /^create\s+(or\s+replace\s+)?(stream|table)\b.*(\barray\s*\|?\s*<|\|\s*array\s*<|\|\s*<)/,
    'Records and maps are jsonb columns, lists are arrays such as text[].',
  ],
  [/^create\s+(or\s+replace\s+)?(secret|connection|cluster)\b|^create\s+\|\s*(secret|connection|cluster)\b/, OPTIONS],
  [
    /^create\s+sink\b.*\|\s*into\b/,
    "A sink is CREATE SINK name FROM view WITH (connector = 'kafka', brokers = '...', topic = '...').",
  ],
  [
    /^create\s.*\|\s*(format|encode|envelope)\b/,
    `${OPTIONS} The envelope of a table or sink is one, too: envelope = 'upsert'.`,
  ],
  [
    /^create\s+or\s+replace\s+\|\s*materialized\b/,
    'Make the new view beside the old one, then give it the name in one transaction: DROP the old one and ALTER MATERIALIZED VIEW new RENAME TO old.',
  ],
  [/^\|?\s*(tail|print)\b/, FOLLOW],
  [/^\|?\s*(describe|desc)\b|^show\b/, CATALOG],
  [/`[^`]+\|?`/, 'Names are quoted with double quotes.'],
];

/** Words behind the error that may tell. */
const AHEAD = 60;

/** The same error with a hint, if the statement is one of another system. `error`: of the text, with its position there. */
export function withSyntaxHint(sql: string, error: SqlError): SqlError {
  const { position, hint } = error.fields;
  if (error.sqlstate !== '42601' || position === undefined || hint !== undefined) return error;
  const characters = [...sql];
  const before = characters.slice(0, position - 1).join('');
  const ahead = characters.slice(position - 1, position - 1 + AHEAD).join('');
  const statement = before.slice(before.lastIndexOf(';') + 1).trimStart();
  const marked = `${statement}|${ahead.split(';')[0]}`.replace(/'[^']*'/g, "''");
  const text = marked.toLowerCase().replace(/\s+/g, ' ');
  const found = SYNTAX.find(([pattern]) => pattern.test(text));
  return found === undefined ? error : new SqlError('42601', error.message, { ...error.fields, hint: found[1] });
}

const DURATION =
  "Times are subtracted and added with intervals: b - a, a + INTERVAL '5 minutes', extract(epoch FROM b - a) for seconds.";
const ARRAY = 'Use array_agg(x ORDER BY ...), with DISTINCT for a set.';
const BY_OTHER = `Use (array_agg(x ORDER BY y DESC))[1]. ${LATEST}`;
const JSON_PATH = "Use document ->> 'field', document #>> '{a,b}' or jsonb_path_query_first.";
const CONDITION = 'Use CASE WHEN condition THEN ... ELSE ... END.';
const TEXT_OF_TIME = "Use to_char(time, 'YYYY-MM-DD HH24:MI:SS'); to_timestamp(text, format) reads it.";

const FUNCTIONS: Record<string, string> = {
  mz_now: NOW,
  mz_logical_timestamp: NOW,
  proctime: `${ARRIVAL} ${NOW}`,
  current_watermark: 'tidemark.sources shows the watermark of each stream.',
  tumble: WINDOWS,
  hop: WINDOWS,
  session: WINDOWS,
  cumulate: WINDOWS,
  latest_by_offset: LATEST,
  earliest_by_offset: 'The first row of a key: SELECT DISTINCT ON (key) ... ORDER BY key, time_column.',
  arg_max: BY_OTHER,
  max_by: BY_OTHER,
  arg_min: 'Use (array_agg(x ORDER BY y))[1].',
  min_by: 'Use (array_agg(x ORDER BY y))[1].',
  collect_list: ARRAY,
  collect_set: ARRAY,
  listagg: "Use string_agg(x, ',' ORDER BY ...).",
  group_concat: "Use string_agg(x, ',' ORDER BY ...).",
  approx_count_distinct: 'Use count(DISTINCT x), which is exact.',
  count_distinct: 'Use count(DISTINCT x).',
  approx_percentile: 'Use percentile_cont(0.95) WITHIN GROUP (ORDER BY x), which is exact.',
  topk: 'Use row_number() OVER (PARTITION BY ... ORDER BY x DESC) in a subquery, and compare it in WHERE.',
  unix_timestamp: 'Use extract(epoch FROM time).',
  from_unixtime: 'Use to_timestamp(seconds).',
  to_timestamp_ltz: 'Use to_timestamp(seconds), or to_timestamp(milliseconds / 1000.0).',
  timestampdiff: DURATION,
  timestampadd: DURATION,
  datediff: DURATION,
  dateadd: DURATION,
  date_format: TEXT_OF_TIME,
  timestamptostring: TEXT_OF_TIME,
  stringtotimestamp: TEXT_OF_TIME,
  parse_timestamp: TEXT_OF_TIME,
  ifnull: 'Use coalesce(a, b).',
  nvl: 'Use coalesce(a, b).',
  if: CONDITION,
  iif: CONDITION,
  json_extract: JSON_PATH,
  get_json_object: JSON_PATH,
  extractjsonfield: JSON_PATH,
  try_cast: "A row whose cast fails is a row of tidemark.errors('view') and stops nothing.",
  instr: 'Use strpos(text, part).',
  len: 'Use length(text).',
  ucase: 'Use upper(text).',
  lcase: 'Use lower(text).',
};

/** What to write in place of another system's function; undefined where nothing is known. */
export function functionHint(name: string): string | undefined {
  if (/^(tumble|hop|session)_(start|end|rowtime|proctime)$/.test(name)) return WINDOWS;
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
}

const TYPES: Record<string, string> = {
  string: 'text',
  double: 'double precision',
  float32: 'real',
  float64: 'double precision',
  tinyint: 'smallint',
  int16: 'smallint',
  int32: 'int',
  int64: 'bigint',
  uint64: 'numeric(20)',
  datetime: 'timestamp',
  timestamp_ltz: 'timestamptz',
  bytes: 'bytea',
  blob: 'bytea',
  binary: 'bytea',
  varbinary: 'bytea',
  number: 'numeric',
  struct: 'jsonb',
  map: 'jsonb',
  super: 'jsonb',
  variant: 'jsonb',
};

/** The type that another system calls so; undefined where nothing is known. */
export function typeHint(name: string): string | undefined {
  return Object.hasOwn(TYPES, name) ? `Use ${TYPES[name]}.` : undefined;
}

/** What SHOW lists there: here it shows settings alone. */
const LISTS =
  /^(tables|streams|sources|sinks|views|schemas|databases|indexes|functions|types|topics|queries|jobs|connectors|clusters|connections|objects)$/;

/** Where that is found which another system's SHOW lists; undefined where `name` is nothing of it. */
export function settingHint(name: string): string | undefined {
  return LISTS.test(name.toLowerCase()) ? CATALOG : undefined;
}
