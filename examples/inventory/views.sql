-- What can be sold: stock of all places less what is put aside. A reservation ends by the clock, without a message.
CREATE MATERIALIZED VIEW available AS
  SELECT p.sku, p.name, coalesce(s.on_hand, 0) AS on_hand, coalesce(r.reserved, 0) AS reserved,
         coalesce(s.on_hand, 0) - coalesce(r.reserved, 0) AS available, p.reorder_below
  FROM product p
  LEFT JOIN (SELECT sku, sum(on_hand) AS on_hand FROM stock GROUP BY sku) s ON s.sku = p.sku
  LEFT JOIN (SELECT sku, sum(quantity) AS reserved FROM reservation WHERE open AND expires_at > now() GROUP BY sku) r ON r.sku = p.sku;
CREATE INDEX ON available (sku);

-- What somebody has to buy: a row comes when too little is left, and goes when there is enough again.
CREATE MATERIALIZED VIEW low_stock AS
  SELECT sku, name, available, reorder_below - available AS missing FROM available WHERE available < reorder_below;

-- Where most of a product lies.
CREATE MATERIALIZED VIEW best_place AS
  SELECT DISTINCT ON (sku) sku, place, on_hand FROM stock ORDER BY sku, on_hand DESC, place;
