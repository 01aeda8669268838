-- A bank's event log, made up: the first hundred events open accounts, then money goes in and out of them.
CREATE STREAM beat (n bigint, at timestamptz) WITH (connector = 'counter', rows_per_second = '50');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

CREATE VIEW account_event AS
  SELECT n AS id,
         CASE WHEN n < 100 THEN n ELSE dice(n, 1, 100) END AS account,
         CASE WHEN n < 100 THEN 'opened' WHEN dice(n, 2, 2) = 0 THEN 'deposited' ELSE 'withdrawn' END AS kind,
         CASE WHEN n < 100 THEN jsonb_build_object('owner', (ARRAY['Ann', 'Bo', 'Cy', 'Dee', 'Eve'])[1 + n % 5] || ' ' || n)
              ELSE jsonb_build_object('amount', round((1 + dice(n, 3, 20000)) / 100.0, 2)) END AS body,
         at
  FROM beat;
