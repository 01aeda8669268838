-- Kilometres between two places on the globe.
CREATE FUNCTION km(lat1 numeric, lon1 numeric, lat2 numeric, lon2 numeric) RETURNS float8 LANGUAGE sql IMMUTABLE
  RETURN 12742 * asin(sqrt(power(sind((lat2 - lat1) / 2.0::float8), 2)
                           + cosd(lat1::float8) * cosd(lat2::float8) * power(sind((lon2 - lon1) / 2.0::float8), 2)));

-- Rule 1: the fifth payment of a card within a minute, and all after it.
CREATE VIEW too_many AS
  SELECT id, card, at FROM (
    SELECT id, card, at, count(*) OVER (PARTITION BY card ORDER BY at RANGE INTERVAL '1 minute' PRECEDING) AS payments FROM payment) p
  WHERE payments >= 5;

-- Rule 2: farther from the payment before than an aeroplane comes.
CREATE VIEW too_fast AS
  SELECT id, card, at FROM (
    SELECT id, card, at, km(lag(lat) OVER w, lag(lon) OVER w, lat, lon) AS km, at - lag(at) OVER w AS within
    FROM payment WINDOW w AS (PARTITION BY card ORDER BY at)) p
  WHERE km > 50 + 900 * extract(epoch FROM within) / 3600;

-- Rule 3: above the limit that the card had then.
CREATE VIEW too_much AS
  SELECT p.id, p.card, p.at FROM payment p ASOF JOIN card_limit l ON p.card = l.card AND p.at >= l.since
  WHERE p.amount > l.most;

-- The score of a payment, and those that somebody should look at.
CREATE MATERIALIZED VIEW score AS
  SELECT id, card, at, sum(points) AS points, array_agg(rule ORDER BY rule) AS rules
  FROM (SELECT *, 40 AS points, 'too many' AS rule FROM too_many
        UNION ALL SELECT *, 60, 'too fast' FROM too_fast
        UNION ALL SELECT *, 30, 'too much' FROM too_much) hit
  GROUP BY id, card, at;
CREATE MATERIALIZED VIEW alert AS SELECT id, card, at, points, rules FROM score WHERE points >= 60;

-- Cards by what they have collected in the last ten minutes.
CREATE MATERIALIZED VIEW suspect AS
  SELECT card, sum(points) AS points, count(*) AS payments FROM score WHERE at > now() - INTERVAL '10 minutes' GROUP BY card;
CREATE INDEX ON suspect (points);
