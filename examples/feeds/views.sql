-- Posts of the last ten minutes (of a day, in life); older ones leave by the clock, and with them all that is made of them.
CREATE VIEW fresh AS SELECT * FROM post WHERE at > now() - INTERVAL '10 minutes';

-- The ten newest posts for each reader, of those that they follow now: one post fans out to all readers of its author.
CREATE MATERIALIZED VIEW feed AS
  SELECT reader, rank, id, author, body, at FROM (
    SELECT f.reader, p.*, row_number() OVER (PARTITION BY f.reader ORDER BY p.at DESC, p.id DESC) AS rank
    FROM fresh p JOIN follows f ON f.author = p.author) r
  WHERE rank <= 10;
CREATE INDEX ON feed (reader);

-- What the network talks about.
CREATE MATERIALIZED VIEW trending AS
  SELECT tag, count(*) AS posts, count(DISTINCT author) AS authors
  FROM fresh, LATERAL (SELECT m[1] AS tag FROM regexp_matches(body, '#(\w+)', 'g') AS m) t
  GROUP BY tag ORDER BY posts DESC, tag LIMIT 20;
