-- Where an order of the last hour is. Of all three streams rows leave by the clock, so what the joins keep is what an hour brings.
CREATE MATERIALIZED VIEW order_state AS
  SELECT o.id, o.customer, o.amount, o.at AS placed_at, p.at AS paid_at, s.at AS shipped_at,
         CASE WHEN s.at IS NOT NULL THEN 'shipped' WHEN p.at IS NOT NULL THEN 'paid' ELSE 'placed' END AS state
  FROM (SELECT * FROM placed WHERE at > now() - INTERVAL '1 hour') o
  LEFT JOIN (SELECT * FROM paid WHERE at > now() - INTERVAL '1 hour') p ON p.id = o.id
  LEFT JOIN (SELECT * FROM shipped WHERE at > now() - INTERVAL '1 hour') s ON s.id = o.id;
CREATE INDEX ON order_state (customer);

-- Paid for more than 30 seconds and not shipped: the clock alone brings an order in here, a shipment takes it out.
CREATE MATERIALIZED VIEW stuck AS
  SELECT id, customer, amount, paid_at FROM order_state WHERE state = 'paid' AND paid_at < now() - INTERVAL '30 seconds';

-- The service level, by the minute in which orders were placed. Times of the streams bound the joins here, not the clock: a payment counts within
-- ten minutes, a shipment within half an hour, and what no watermark lets match any more is forgotten.
CREATE MATERIALIZED VIEW service_level AS
  SELECT date_trunc('minute', o.at) AS minute, count(*) AS orders, count(p.at) AS paid, count(s.at) AS shipped,
         count(*) FILTER (WHERE s.at <= o.at + INTERVAL '12 seconds') AS in_time,
         percentile_cont(0.9) WITHIN GROUP (ORDER BY s.at - o.at) AS nine_of_ten_within
  FROM placed o
  LEFT JOIN paid p ON p.id = o.id AND p.at BETWEEN o.at AND o.at + INTERVAL '10 minutes'
  LEFT JOIN shipped s ON s.id = o.id AND s.at BETWEEN o.at AND o.at + INTERVAL '30 minutes'
  GROUP BY date_trunc('minute', o.at);
