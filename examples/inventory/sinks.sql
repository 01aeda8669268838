-- The shop window reads what is left by product; a tombstone means that a product is gone.
CREATE SINK available_out AS SELECT sku, available FROM available
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'available', envelope = 'upsert');
