-- Visitors of a shop's pages, made up: a hundred clicks a second of people who come and go. Most look, some fill a cart, a few pay.
CREATE STREAM beat (n bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '1 second')
  WITH (connector = 'counter', rows_per_second = '100');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

CREATE VIEW click AS
  SELECT dice(n, 1, 400) + 400 * (n / 2000) AS visitor,
         (ARRAY['/', '/', '/', '/product', '/product', '/product', '/product', '/cart', '/cart', '/paid'])[1 + dice(n, 2, 10)] AS page, at
  FROM beat;
