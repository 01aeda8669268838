-- Keyed topics: of each key the last message counts, one without a value takes the row away.
-- Key {"sku": 7, "place": "north"}, value {"on_hand": 12}
CREATE TABLE stock (sku bigint, place text, on_hand int NOT NULL, PRIMARY KEY (sku, place))
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'stock', envelope = 'upsert');
-- Key 1, value {"sku": 7, "quantity": 2, "expires_at": "2026-01-01T10:00:30Z"}; a sale or a change of mind deletes it
CREATE TABLE reservation (id bigint PRIMARY KEY, sku bigint, quantity int, expires_at timestamptz, open boolean DEFAULT true)
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'reservations', envelope = 'upsert');
-- A table of the shop's PostgreSQL, by what Debezium says of its changes
CREATE TABLE product (sku bigint PRIMARY KEY, name text NOT NULL, reorder_below int NOT NULL)
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'shop.public.product', format = 'debezium_json');
