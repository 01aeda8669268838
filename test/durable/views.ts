/** Tables, and a view of every operator over them. */
export const TABLES = `
  CREATE TABLE a (id int PRIMARY KEY, k int, v numeric, t text, at timestamp);
  CREATE TABLE b (id int PRIMARY KEY, k int, w float8, at timestamp);
  CREATE INDEX ON a (k);
  CREATE STREAM s (k int, v int, at timestamp, WATERMARK FOR at AS at - INTERVAL '5 seconds');`;

/** One view an operator, at the least. */
export const VIEWS: Record<string, string> = {
  grouped:
    'SELECT k, count(*) AS n, sum(v) AS s, min(t) AS low, max(t) AS high, count(DISTINCT t) AS d FROM a GROUP BY k',
  whole: 'SELECT count(*) AS n, avg(w) AS w, stddev(w) AS sd FROM b',
  listed: "SELECT k, string_agg(t, ',' ORDER BY t, id) AS l, array_agg(id ORDER BY id) AS ids FROM a GROUP BY k",
  joined: 'SELECT a.id, b.id AS other, a.t FROM a JOIN b ON a.k = b.k AND a.v > b.w::numeric',
  outer_joined: 'SELECT a.id, b.id AS other FROM a FULL JOIN b ON a.id = b.id',
  exist: 'SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE b.k = a.k)',
  missing: 'SELECT id FROM a WHERE k NOT IN (SELECT k FROM b)',
  distinct_k: 'SELECT DISTINCT k, t FROM a',
  excepted: 'SELECT k FROM a EXCEPT ALL SELECT k FROM b',
  top: 'SELECT * FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY v DESC, id) AS r FROM a) x WHERE r <= 2',
  windowed:
    'SELECT id, lag(id) OVER (PARTITION BY k ORDER BY id) AS p, sum(w) OVER (PARTITION BY k ORDER BY id) AS s FROM b',
  asof_joined: 'SELECT a.id, b.id AS other FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.at >= b.at',
  recursive: `WITH RECURSIVE r(id, n) AS (SELECT id, 0 FROM a WHERE id < 3 UNION SELECT a.id, n + 1 FROM r JOIN a ON a.k = r.id WHERE n < 5)
    SELECT id, count(*) AS n FROM r GROUP BY id`,
  scalar: 'SELECT id, (SELECT max(w) FROM b WHERE b.k = a.k) AS w FROM a',
  failing: 'SELECT id, 10 / k AS q FROM a',
  recent: "SELECT id FROM a WHERE at > now()::timestamp - INTERVAL '1 minute'",
  tumbled:
    "SELECT window_start, k, count(*) AS n, max(v) AS v FROM TUMBLE(s, at, INTERVAL '10 seconds') GROUP BY window_start, k",
  of_view: 'SELECT n, count(*) AS groups FROM grouped GROUP BY n',
};
