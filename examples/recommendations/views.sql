-- How often two products were in one order. Lines of an order come within a minute, so the join forgets the lines of before.
CREATE MATERIALIZED VIEW pair AS
  SELECT a.product, b.product AS other, count(*) AS times
  FROM purchase a JOIN purchase b
    ON a.order_id = b.order_id AND a.product <> b.product AND b.at BETWEEN a.at - INTERVAL '1 minute' AND a.at + INTERVAL '1 minute'
  GROUP BY a.product, b.product;

-- The five that go best with each product.
CREATE MATERIALIZED VIEW bought_together AS
  SELECT product, other, times, rank FROM (
    SELECT *, row_number() OVER (PARTITION BY product ORDER BY times DESC, other) AS rank FROM pair) p
  WHERE rank <= 5;
CREATE INDEX ON bought_together (product);

-- What to show a customer: what goes with what they bought in the last ten minutes, and they have not bought in that time.
CREATE VIEW recent AS SELECT DISTINCT customer, product FROM purchase WHERE at > now() - INTERVAL '10 minutes';
CREATE MATERIALIZED VIEW recommended AS
  SELECT customer, product, score, rank FROM (
    SELECT *, row_number() OVER (PARTITION BY customer ORDER BY score DESC, product) AS rank FROM (
      SELECT r.customer, t.other AS product, sum(t.times) AS score
      FROM recent r JOIN bought_together t ON t.product = r.product
      WHERE NOT EXISTS (SELECT 1 FROM recent has WHERE has.customer = r.customer AND has.product = t.other)
      GROUP BY r.customer, t.other) s) s
  WHERE rank <= 3;
CREATE INDEX ON recommended (customer);
