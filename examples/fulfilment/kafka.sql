-- Three services, three topics. {"id": 1, "customer": 7, "amount": 19.90, "at": "2026-01-01T10:00:00Z"} and {"id": 1, "at": "2026-01-01T10:00:05Z"}
CREATE STREAM placed (id bigint, customer bigint, amount numeric(10,2), at timestamptz, WATERMARK FOR at AS at - INTERVAL '10 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'orders', format = 'json', start = 'earliest');
CREATE STREAM paid (id bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '10 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'payments', format = 'json', start = 'earliest');
CREATE STREAM shipped (id bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '10 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'shipments', format = 'json', start = 'earliest');
