-- Card payments, made up: 100 a second of 1000 cards. One card in ten is at home in each city; now and then somebody pays far away, or in bursts.
CREATE STREAM beat (n bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '2 seconds')
  WITH (connector = 'counter', rows_per_second = '100');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

CREATE VIEW payment AS
  SELECT id, card, amount, 51.5 + 4.0 * (place % 3) AS lat, 0.0 + 14.0 * (place / 3) AS lon, at
  FROM (SELECT n AS id, card, at, round((100 + dice(n, 2, 40000) * (1 + 9 * (dice(n, 3, 50) / 49))) / 100.0, 2) AS amount,
               CASE WHEN dice(n, 4, 200) = 0 THEN dice(n, 5, 10) ELSE card % 10 END AS place
        FROM (SELECT n, at, CASE WHEN n % 500 < 8 THEN dice(n / 500, 1, 1000) ELSE dice(n, 1, 1000) END AS card FROM beat) b) p;

-- What a card may pay at once, from when on: it is set anew now and then.
CREATE VIEW card_limit AS
  SELECT dice(n, 6, 1000) AS card, 500 + 100 * dice(n, 7, 40) AS most, at AS since FROM beat WHERE n % 10 = 0;
