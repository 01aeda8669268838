-- Temperatures of twenty devices, made up: each sends every second, is silent now and then for half a minute, and warms up and cools down.
CREATE STREAM beat (n bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '1 second')
  WITH (connector = 'counter', rows_per_second = '20');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

CREATE VIEW reading AS
  SELECT n % 20 AS device, round((60 + 20 * sin(n / 400.0 + n % 20) + dice(n, 1, 80) / 10.0)::numeric, 1) AS celsius, at
  FROM beat WHERE dice(n / 600 * 20 + n % 20, 2, 8) > 0;
