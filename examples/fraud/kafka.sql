-- {"id": 1, "card": 7, "amount": 19.90, "lat": 51.5, "lon": 0, "at": "2026-01-01T10:00:00Z"}
-- Messages may come up to 5 seconds out of order; what is later than that is in tidemark.late('payment').
CREATE STREAM payment (id bigint, card bigint, amount numeric(10,2), lat numeric, lon numeric, at timestamptz,
    WATERMARK FOR at AS at - INTERVAL '5 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'payments', format = 'json', start = 'earliest');

-- {"card": 7, "most": 500, "since": "2026-01-01T00:00:00Z"}
CREATE STREAM card_limit (card bigint, most numeric(10,2), since timestamptz, WATERMARK FOR since AS since - INTERVAL '5 seconds')
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'card-limits', format = 'json', start = 'earliest');
