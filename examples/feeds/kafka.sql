-- {"id": 1, "author": 7, "body": "hello #tea", "at": "2026-01-01T10:00:00Z"}
CREATE STREAM post (id bigint, author bigint, body text, at timestamptz)
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'posts', format = 'json', start = 'earliest');
-- Key {"reader": 1, "author": 7}, value {}; without a value: follows no more
CREATE TABLE follows (reader bigint, author bigint, PRIMARY KEY (reader, author))
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'follows', envelope = 'upsert');
