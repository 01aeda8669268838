-- Alerts for another system: a message a payment. What a payment that comes late changes is another message of the same key, or one without a value (a tombstone).
CREATE SINK alerts FROM alert
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'fraud-alerts', envelope = 'upsert');
