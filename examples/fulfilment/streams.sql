-- A shop's orders, made up: ten a second. Nine of ten are paid five seconds later; most of those are shipped after 10, 15 or 40 seconds.
CREATE STREAM beat (n bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '1 second')
  WITH (connector = 'counter', rows_per_second = '10');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

CREATE VIEW placed AS
  SELECT n AS id, dice(n, 1, 100) AS customer, (5 + dice(n, 2, 200))::numeric(10,2) AS amount, at FROM beat;

CREATE VIEW paid AS
  SELECT n - 50 AS id, at FROM beat WHERE n >= 50 AND dice(n - 50, 3, 10) > 0;

-- Order k is shipped by event k + delay, and of its three delays one is its own.
CREATE VIEW shipped AS
  SELECT n - 100 AS id, at FROM beat WHERE n >= 100 AND dice(n - 100, 3, 10) > 0 AND dice(n - 100, 4, 60) BETWEEN 1 AND 35
  UNION ALL
  SELECT n - 150, at FROM beat WHERE n >= 150 AND dice(n - 150, 3, 10) > 0 AND dice(n - 150, 4, 60) BETWEEN 36 AND 50
  UNION ALL
  SELECT n - 400, at FROM beat WHERE n >= 400 AND dice(n - 400, 3, 10) > 0 AND dice(n - 400, 4, 60) BETWEEN 51 AND 57;
