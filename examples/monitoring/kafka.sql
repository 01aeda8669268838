-- {"device": 7, "celsius": 61.5, "at": "2026-01-01T10:00:00Z"}; many devices and a bad network, so half a minute of disorder is waited for.
CREATE STREAM reading (device bigint, celsius numeric, at timestamptz, WATERMARK FOR at AS at - INTERVAL '30 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'readings', format = 'json', start = 'earliest');
