-- One topic to many: each gets its part of the feeds, by the same view.
CREATE SINK feeds_even AS SELECT reader, rank, id, author, body FROM feed WHERE reader % 2 = 0
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'feeds-even', envelope = 'upsert');
CREATE SINK feeds_odd AS SELECT reader, rank, id, author, body FROM feed WHERE reader % 2 = 1
  WITH (connector = 'kafka', brokers = 'localhost:9092', topic = 'feeds-odd', envelope = 'upsert');
