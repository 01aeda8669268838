-- The event log as a topic, keyed by account so that the events of one stay in order.
-- A message: {"id": 17, "account": 4, "kind": "deposited", "body": {"amount": 12.50}, "at": "2026-01-01T10:00:00Z"}
CREATE STREAM account_event (id bigint, account bigint, kind text, body jsonb, at timestamptz)
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'account-events', format = 'json', start = 'earliest');
