-- {"visitor": 7, "page": "/", "at": "2026-01-01T10:00:00Z"}
CREATE STREAM click (visitor bigint, page text, at timestamptz, WATERMARK FOR at AS at - INTERVAL '10 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'clicks', format = 'json', start = 'earliest');
