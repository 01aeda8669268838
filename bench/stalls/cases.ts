/** What somebody may ask of a running server at any time: statements over a table and a view of ROWS rows. */

export const ROWS = 1_000_000;

export const SCHEMA = [
  'CREATE STREAM events (k int, v bigint, sent bigint)',
  'CREATE MATERIALIZED VIEW newest AS SELECT max(sent) AS sent FROM events',
  'CREATE TABLE large (a bigint, b text, c numeric(12,2), d timestamptz)',
  `INSERT INTO large SELECT g, 'text of row ' || g, (g % 100000)::numeric / 100, '2026-01-01'::timestamptz + g * interval '1 second' FROM generate_series(1, ${ROWS}) g`,
  'CREATE MATERIALIZED VIEW big AS SELECT a, a % 1000 AS g, b, c FROM large',
  'CREATE TABLE crossed AS SELECT g AS id, 1 AS one FROM generate_series(1, 20000) g',
  'CREATE MATERIALIZED VIEW groups AS SELECT a % 300000 AS g, count(*) AS n, sum(c) AS total FROM large GROUP BY a % 300000',
];

export interface Case {
  name: string;
  /** One after the other on each connection. */
  statements: string[];
  /** So many clients at the same time. */
  clients?: number;
  /** It would not end: is cancelled after a while. */
  endless?: true;
  /** Milliseconds that the client waits after each chunk. */
  slow?: number;
  /** Afterwards, not measured. */
  after?: string[];
}

const endless = (sql: string): Case => ({ name: sql, statements: [sql], endless: true });
const one = (sql: string, more: Partial<Case> = {}): Case => ({ name: sql, statements: [sql], ...more });

export const CASES: Case[] = [
  one('SELECT 1'),
  one('SELECT * FROM large'),
  one('COPY large TO STDOUT'),
  one('COPY (SELECT * FROM large) TO STDOUT (FORMAT binary)'),
  one('COPY (SELECT * FROM large) TO STDOUT (FORMAT csv)'),
  one('SELECT * FROM large', { name: 'SELECT * FROM large, 4 clients', clients: 4 }),
  one('SELECT * FROM large WHERE a < 400000', { name: 'SELECT * WHERE, slow client', slow: 3 }),
  one('SELECT * FROM large ORDER BY a'),
  one('SELECT * FROM large ORDER BY b'),
  one('SELECT * FROM large ORDER BY c DESC, d'),
  one('SELECT * FROM large ORDER BY a', { name: 'ORDER BY a, 3 clients', clients: 3 }),
  one('SELECT * FROM large ORDER BY d DESC LIMIT 10'),
  one('SELECT * FROM large ORDER BY d DESC LIMIT 100000'),
  one('SELECT * FROM large OFFSET 900000 LIMIT 10'),
  one('SELECT * FROM large LIMIT 400000'),
  one('SELECT DISTINCT b FROM large'),
  one('SELECT count(*), sum(c), min(b), max(d) FROM large'),
  one('SELECT a % 1000, count(*) FROM large GROUP BY a % 1000'),
  one('SELECT a, count(*) FROM large GROUP BY a'),
  one('SELECT b, count(*), sum(c) FROM large GROUP BY b ORDER BY 2 DESC LIMIT 10'),
  one('SELECT count(DISTINCT b) FROM large'),
  one('SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c) FROM large'),
  one("SELECT length(string_agg(b, ',')) FROM large"),
  one('SELECT array_agg(a) FROM large'),
  one('SELECT count(*) FROM large l JOIN big r ON l.a = r.a'),
  one('SELECT l.*, r.g FROM large l JOIN big r ON l.a = r.a'),
  one('SELECT l.*, r.n FROM large l LEFT JOIN groups r ON l.a = r.g'),
  one('SELECT count(*) FROM large WHERE a NOT IN (SELECT g FROM groups)'),
  one('SELECT a FROM large EXCEPT SELECT g FROM groups'),
  one('SELECT a FROM large UNION SELECT g FROM groups'),
  one('SELECT a, row_number() OVER (ORDER BY c, a) FROM large LIMIT 10'),
  one('SELECT g, a FROM (SELECT g, a, row_number() OVER (PARTITION BY g ORDER BY a) r FROM big) x WHERE r <= 3'),
  one('SELECT count(*) FROM generate_series(1, 1000000)'),
  one('WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 100000) SELECT count(*) FROM t'),
  endless('SELECT count(*) FROM crossed a, crossed b, crossed c'),
  endless('SELECT * FROM crossed a, crossed b, crossed c WHERE a.id + b.id + c.id < 0'),
  endless('SELECT count(*) FROM crossed a JOIN crossed b USING (one) JOIN crossed c USING (one)'),
  endless('SELECT count(*) FROM crossed a LEFT JOIN crossed b ON a.id + b.id < 0 JOIN crossed c ON c.one = a.one'),
  endless('SELECT count(*) FROM large a WHERE EXISTS (SELECT 1 FROM crossed b WHERE a.a + b.id = -1)'),
  one('SELECT * FROM crossed a, crossed b, crossed c LIMIT 3'),
  endless('SELECT count(*) FROM generate_series(1, 100000000000)'),
  one('SELECT * FROM generate_series(1, 100000000) LIMIT 3'),
  endless('INSERT INTO large SELECT a.id FROM crossed a, crossed b, crossed c WHERE a.id + b.id + c.id < 0'),
  endless('UPDATE crossed SET one = 2 FROM crossed a, crossed b WHERE a.id + b.id + crossed.id < 0'),
  endless('DELETE FROM crossed USING crossed a, crossed b WHERE a.id + b.id + crossed.id < 0'),
  one('EXPLAIN ANALYZE SELECT * FROM big'),
  one('EXPLAIN ANALYZE SELECT * FROM groups'),
  {
    name: 'DECLARE, FETCH 10000 each',
    statements: [
      'BEGIN',
      'DECLARE x CURSOR FOR SELECT * FROM large',
      ...Array.from({ length: 40 }, () => 'FETCH 10000 FROM x'),
      'COMMIT',
    ],
  },
  {
    name: 'DECLARE, FETCH ALL',
    statements: ['BEGIN', 'DECLARE x CURSOR FOR SELECT * FROM large', 'FETCH ALL FROM x', 'COMMIT'],
  },
  {
    name: 'DECLARE ORDER BY, FETCH 100',
    statements: ['BEGIN', 'DECLARE x CURSOR FOR SELECT * FROM large ORDER BY b', 'FETCH 100 FROM x', 'COMMIT'],
  },
  {
    name: 'DECLARE SCROLL, FETCH LAST, FETCH BACKWARD',
    statements: [
      'BEGIN',
      'DECLARE x SCROLL CURSOR FOR SELECT * FROM large',
      'FETCH LAST FROM x',
      'FETCH BACKWARD 100000 FROM x',
      'COMMIT',
    ],
  },
  {
    name: 'DECLARE WITH HOLD',
    statements: [
      'BEGIN',
      'DECLARE x CURSOR WITH HOLD FOR SELECT * FROM large',
      'COMMIT',
      'FETCH 1000 FROM x',
      'CLOSE x',
    ],
  },
  {
    name: 'BEGIN, 2 reads, COMMIT',
    statements: [
      'BEGIN ISOLATION LEVEL REPEATABLE READ',
      'SELECT count(*) FROM large',
      'SELECT * FROM large',
      'COMMIT',
    ],
  },
  one('CREATE INDEX big_g ON big (g)', { after: ['DROP INDEX big_g'] }),
  one('CREATE INDEX large_b ON large (b)', { after: ['DROP INDEX large_b'] }),
  one('CREATE MATERIALIZED VIEW later AS SELECT a, b FROM big'),
  one('DROP MATERIALIZED VIEW later'),
  one('CREATE MATERIALIZED VIEW later AS SELECT g, count(*) n, max(b) b FROM big GROUP BY g'),
  one('DROP MATERIALIZED VIEW later'),
  one('CREATE MATERIALIZED VIEW later AS SELECT b.a, b.c, g.total FROM big b JOIN groups g ON b.a = g.g'),
  one('DROP MATERIALIZED VIEW later'),
  one('CREATE MATERIALIZED VIEW later AS SELECT * FROM big ORDER BY c DESC LIMIT 10'),
  one('DROP MATERIALIZED VIEW later'),
  one('CREATE TABLE copied AS SELECT * FROM large'),
  one('CREATE UNIQUE INDEX copied_a ON copied (a)'),
  one('UPDATE copied SET c = c + 1 WHERE a % 100 = 0'),
  one('UPDATE copied SET c = c + 1'),
  one('DELETE FROM copied WHERE a % 2 = 0'),
  one('TRUNCATE copied'),
  one('DROP TABLE copied'),
  one('CHECKPOINT'),
];
