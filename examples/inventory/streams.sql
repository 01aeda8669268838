-- A warehouse, made up: counts of forty products in three places, and customers who put products aside for half a minute.
CREATE STREAM beat (n bigint, at timestamptz) WITH (connector = 'counter', rows_per_second = '20');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

-- What a keyed topic is, said in SQL: of each key the last row counts.
CREATE VIEW stock AS
  SELECT DISTINCT ON (sku, place) sku, place, on_hand
  FROM (SELECT n, dice(n, 1, 40) AS sku, (ARRAY['north', 'south', 'web'])[1 + dice(n, 2, 3)] AS place, dice(n, 3, 100)::int AS on_hand FROM beat) s
  ORDER BY sku, place, n DESC;

-- One in four is given up before its time: its last row says so.
CREATE VIEW reservation AS
  SELECT DISTINCT ON (id) id, sku, quantity, expires_at, open
  FROM (SELECT n AS id, n, dice(n, 4, 40) AS sku, (1 + dice(n, 5, 5))::int AS quantity, at + INTERVAL '30 seconds' AS expires_at, true AS open FROM beat
        UNION ALL
        SELECT n - 100, n, dice(n - 100, 4, 40), (1 + dice(n - 100, 5, 5))::int, at + INTERVAL '1 minute', false FROM beat WHERE n >= 100 AND n % 4 = 0) r
  WHERE expires_at > now()
  ORDER BY id, n DESC;

CREATE TABLE product (sku bigint PRIMARY KEY, name text NOT NULL, reorder_below int NOT NULL);
INSERT INTO product SELECT i, (ARRAY['lamp', 'cup', 'chair', 'desk'])[1 + i % 4] || ' ' || i, 50 + i % 50 FROM generate_series(0, 39) i;
