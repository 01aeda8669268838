-- Purchases, made up: three lines an order, of sixty products and two thousand customers; neighbours in the list of products are often bought together.
CREATE STREAM beat (n bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '1 second')
  WITH (connector = 'counter', rows_per_second = '30');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

CREATE VIEW purchase AS
  SELECT n / 3 AS order_id, dice(n / 3, 1, 2000) AS customer,
         CASE WHEN dice(n, 2, 3) > 0 THEN (dice(n / 3, 3, 20) * 3 + n % 3) ELSE dice(n, 4, 60) END AS product, at
  FROM beat;
