-- {"order_id": 1, "customer": 7, "product": 12, "at": "2026-01-01T10:00:00Z"}, a message a line
CREATE STREAM purchase (order_id bigint, customer bigint, product bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '10 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'purchases', format = 'json', start = 'earliest');
